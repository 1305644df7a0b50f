import { type ChangeOptions, type Domain, VirError } from '@covirt/core'
import { firstElementOf, readElement, textOf } from '@covirt/xml'
import type { Command } from 'commander'
import type { Cli } from '../cli/cli.js'
import { printable } from '../cli/text-width.js'
import { type ChangeFlags, withChangeFlags } from './devices.js'
import { domainArgument, type Select } from './select.js'

interface DescriptionFlags extends ChangeFlags {
  readonly title?: boolean
  readonly edit?: boolean
}

/** `desc`. */
export function addDescriptionCommand(program: Command, select: Select): void {
  withChangeFlags(
    program
      .command('desc')
      .argument('<domain>', domainArgument)
      .argument('[new-text...]', 'what it is to be; an empty one removes it'),
  )
    .option('--title', 'the title, which is one line, instead')
    .option('--edit', 'change it with $VISUAL or $EDITOR')
    .description('show or change what is noted about a domain')
    .addHelpText(
      'after',
      "\nExamples:\n  covirt desc web --title 'The web server'\n  covirt desc web --edit\n",
    )
    .action((name: string, words: readonly string[], flags: DescriptionFlags) =>
      select(async (cli) => {
        const domain = await cli.domain(name)
        if (flags.edit) await edit(cli, domain, words, flags)
        else if (words.length > 0) await change(cli, domain, words.join(' '), flags)
        else await show(cli, domain, flags)
      }),
    )
}

async function show(cli: Cli, domain: Domain, flags: DescriptionFlags): Promise<void> {
  const kind = kindOf(flags)
  const found = await noteOf(domain, flags, { ...flags, signal: cli.signal })
  const text = found?.split('\n').map(printable).join('\n') ?? `No ${kind} for domain: ${domain.name}`
  cli.result({ json: { ...domain.ref, [kind]: found }, text: `${text}\n` })
}

async function edit(
  cli: Cli,
  domain: Domain,
  words: readonly string[],
  flags: DescriptionFlags,
): Promise<void> {
  const kind = kindOf(flags)
  const before = (await noteOf(domain, flags, { ...flags, signal: cli.signal })) ?? ''
  const { editText } = await import('../cli/edit-text.js')
  let text = before
  const edited = await editText(cli, {
    text: words.length > 0 ? words.join(' ') : before,
    fileName: `${kind}.txt`,
    accept: async (changed) => {
      text = changed.replace(/\n+$/, '')
      await setNote(cli, domain, text, flags)
    },
  })
  if (edited) tellChanged(cli, domain, text, kind)
  else cli.result({ json: { ...domain.ref, changed: false }, text: `Domain ${kind} not changed\n` })
}

async function change(cli: Cli, domain: Domain, text: string, flags: DescriptionFlags): Promise<void> {
  await setNote(cli, domain, text, flags)
  tellChanged(cli, domain, text, kindOf(flags))
}

async function setNote(cli: Cli, domain: Domain, text: string, flags: DescriptionFlags): Promise<void> {
  const { live, config } = flags
  const metadata = { kind: kindOf(flags), text: text === '' ? undefined : text }
  await domain.setMetadata(metadata, { live, config, signal: cli.signal })
}

function tellChanged(cli: Cli, domain: Domain, text: string, kind: 'title' | 'description'): void {
  const json = { ...domain.ref, changed: true, [kind]: text === '' ? undefined : text }
  cli.result({ json, text: `Domain ${kind} updated successfully\n` })
}

function kindOf({ title }: DescriptionFlags): 'title' | 'description' {
  return title ? 'title' : 'description'
}

/** From the guest's document where it has one, unless the definition is asked for. */
async function noteOf(
  domain: Domain,
  flags: DescriptionFlags,
  { live, config, signal }: ChangeOptions,
): Promise<string | undefined> {
  if (live && !(await domain.isActive({ signal })))
    throw new VirError('OPERATION_INVALID', `Domain '${domain.name}' is not active`, { domain: 'DOM' })
  if (config && !(await domain.isPersistent({ signal })))
    throw new VirError('OPERATION_INVALID', `Domain '${domain.name}' is transient`, { domain: 'DOM' })
  const document = readElement(await domain.xml({ inactive: config === true && !live, signal }))
  const element = firstElementOf(document, kindOf(flags))
  return element && textOf(element)
}
