import { resolve } from 'node:path'
import type { SaveOptions } from '@covirt/core'
import type { Command } from 'commander'
import type { Cli } from '../cli/cli.js'
import { readDocument } from '../cli/read-document.js'
import { domainArgument, type Select } from './select.js'

interface RestoreAsFlags {
  readonly running?: boolean
  readonly paused?: boolean
}

interface RestoreFlags extends RestoreAsFlags {
  readonly xml?: string
}

/** `save`, `restore`, `managedsave`, `managedsave-remove`: guests that sleep on disk. */
export function addSavedStateCommands(program: Command, select: Select): void {
  const command = (name: string, description: string) =>
    program
      .command(name)
      .description(description)
      .option('--running', 'let it run when it is restored')
      .option('--paused', 'leave it paused when it is restored')
  command('managedsave', 'save a guest and end it; the next start goes on from there')
    .argument('<domain>', domainArgument)
    .addHelpText('after', '\nExamples:\n  covirt managedsave web\n  covirt start web\n')
    .action((name: string, flags: RestoreAsFlags) => select((cli) => managedSave(cli, name, flags)))
  program
    .command('managedsave-remove')
    .argument('<domain>', domainArgument)
    .description('throw away what managedsave has saved: the next start boots')
    .action((name: string) =>
      select(async (cli) => {
        const domain = await cli.domain(name)
        await domain.removeManagedSave({ signal: cli.signal })
        cli.result({ json: domain.ref, text: `The saved state of domain '${domain.name}' was removed\n` })
      }),
    )
  command('save', 'save a guest to a file and end it')
    .argument('<domain>', domainArgument)
    .argument('<file>', 'where to, on the host of the guest')
    .addHelpText('after', '\nExamples:\n  covirt save web /srv/web.save\n  covirt restore /srv/web.save\n')
    .action((name: string, file: string, flags: RestoreAsFlags) =>
      select((cli) => save(cli, name, file, flags)),
    )
  command('restore', 'start a guest from the file that it was saved to')
    .argument('<file>', 'on the host of the guest; it stays')
    .option('--xml <file>', 'domain XML to use instead of that in the file; - for standard input')
    .action((file: string, flags: RestoreFlags) => select((cli) => restore(cli, file, flags)))
}

function restoreAs({ running, paused }: RestoreAsFlags): Pick<SaveOptions, 'restoreAs'> {
  if (paused) return { restoreAs: 'paused' }
  return running ? { restoreAs: 'running' } : {}
}

async function managedSave(cli: Cli, name: string, flags: RestoreAsFlags): Promise<void> {
  const domain = await cli.domain(name)
  await domain.managedSave({ ...restoreAs(flags), signal: cli.signal })
  cli.result({
    json: domain.ref,
    text: `Domain '${domain.name}' was saved: its next start goes on from there\n`,
  })
}

async function save(cli: Cli, name: string, file: string, flags: RestoreAsFlags): Promise<void> {
  const domain = await cli.domain(name)
  const path = resolve(file)
  await domain.save(path, { ...restoreAs(flags), signal: cli.signal })
  cli.result({ json: { ...domain.ref, path }, text: `Domain '${domain.name}' was saved to ${path}\n` })
}

async function restore(cli: Cli, file: string, { xml: other, ...flags }: RestoreFlags): Promise<void> {
  const xml = other === undefined ? undefined : await readDocument(other, cli)
  const path = resolve(file)
  const { domains } = await cli.connection()
  const domain = await domains.restore(path, { ...restoreAs(flags), xml, signal: cli.signal })
  cli.result({ json: { ...domain.ref, path }, text: `Domain '${domain.name}' was restored from ${path}\n` })
}
