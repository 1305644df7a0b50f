import type { Command } from 'commander'
import type { Cli } from '../cli/cli.js'
import { readDocument } from '../cli/read-document.js'
import { domainArgument, holdsTheRoot, type Select } from './select.js'

interface DumpFlags {
  readonly inactive?: boolean
  readonly securityInfo?: boolean
}

interface UndefineFlags {
  readonly managedSave?: boolean
  readonly removeRootfs?: boolean
}

/** `define`, `undefine`, `edit`, `domrename`, `dumpxml`, `autostart`. */
export function addDefinitionCommands(program: Command, select: Select): void {
  program
    .command('define')
    .argument('<file>', 'domain XML; - for standard input')
    .description('store a definition, or replace that of the same name and uuid')
    .addHelpText(
      'after',
      '\nExamples:\n  covirt define web.xml\n  covirt dumpxml web --inactive | covirt define -\n',
    )
    .action((file: string) => select((cli) => define(cli, file)))
  program
    .command('undefine')
    .argument('<domain>', domainArgument)
    .option('--remove-rootfs', 'and the root file system that create-container made; the domain must be off')
    .option('--managed-save', 'and what managedsave has saved')
    .description('remove a definition; an active domain goes on as a transient one')
    .addHelpText('after', '\nExamples:\n  covirt undefine web\n  covirt undefine web --remove-rootfs\n')
    .action((name: string, flags: UndefineFlags) => select((cli) => undefine(cli, name, flags)))
  program
    .command('edit')
    .argument('<domain>', domainArgument)
    .description('change a definition with $VISUAL or $EDITOR; an active domain sees it at its next start')
    .addHelpText('after', `${holdsTheRoot}\nExamples:\n  EDITOR='code --wait' covirt edit web\n`)
    .action((name: string) =>
      select(async (cli) => {
        const { editDomain } = await import('../cli/edit-domain.js')
        await editDomain(cli, name)
      }),
    )
  program
    .command('domrename')
    .argument('<domain>', domainArgument)
    .argument('<new-name>', 'what it is to be called')
    .description('give a domain that is off another name')
    .action((name: string, newName: string) => select((cli) => rename(cli, name, newName)))
  program
    .command('dumpxml')
    .argument('<domain>', domainArgument)
    .option('--inactive', 'the definition that the next start uses, even where the domain is active')
    .option('--security-info', 'include passwords')
    .description("print a domain's XML")
    .action((name: string, flags: DumpFlags) => select((cli) => dumpXml(cli, name, flags)))
  program
    .command('autostart')
    .argument('<domain>', domainArgument)
    .option('--disable', 'do not start it at boot any more')
    .description('start a domain when the host boots')
    .action((name: string, flags: { disable?: boolean }) =>
      select((cli) => autostart(cli, name, !flags.disable)),
    )
}

async function define(cli: Cli, file: string): Promise<void> {
  const xml = await readDocument(file, cli)
  const { domains } = await cli.connection()
  const { name, uuid } = await domains.define(xml, { signal: cli.signal })
  const source = file === '-' ? 'standard input' : file
  cli.result({ json: { name, uuid }, text: `Domain '${name}' defined from ${source}\n` })
}

async function undefine(cli: Cli, text: string, { removeRootfs, managedSave }: UndefineFlags): Promise<void> {
  const domain = await cli.domain(text)
  const done = `Domain '${domain.name}' has been undefined`
  if (!removeRootfs) {
    await domain.undefine({ managedSave, signal: cli.signal })
    return cli.result({ json: domain.ref, text: `${done}\n` })
  }
  const { undefineContainer } = await import('../cli/undefine-container.js')
  const rootfs = await undefineContainer(cli, domain)
  cli.result({ json: { ...domain.ref, removed: rootfs }, text: `${done}, and ${rootfs} removed\n` })
}

async function rename(cli: Cli, text: string, newName: string): Promise<void> {
  const domain = await cli.domain(text)
  const { name } = domain
  await domain.rename(newName, { signal: cli.signal })
  cli.result({ json: { ...domain.ref, renamedFrom: name }, text: `Domain '${name}' is now '${newName}'\n` })
}

async function dumpXml(cli: Cli, text: string, { inactive, securityInfo }: DumpFlags): Promise<void> {
  const domain = await cli.domain(text)
  const xml = await domain.xml({ inactive, secure: securityInfo, signal: cli.signal })
  cli.result({ json: { ...domain.ref, xml }, text: xml.endsWith('\n') ? xml : `${xml}\n` })
}

async function autostart(cli: Cli, text: string, wanted: boolean): Promise<void> {
  const domain = await cli.domain(text)
  await domain.setAutostart(wanted, { signal: cli.signal })
  const done = wanted ? 'marked' : 'unmarked'
  cli.result({
    json: { ...domain.ref, autostart: wanted },
    text: `Domain '${domain.name}' ${done} as autostarted\n`,
  })
}
