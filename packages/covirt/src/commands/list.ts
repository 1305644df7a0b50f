import type { DomainFilter, DomainStats } from '@covirt/core'
import type { Command } from 'commander'
import type { Cli } from '../cli/cli.js'
import { stateColour, stateText } from '../cli/state-text.js'
import { formatTable } from '../cli/table.js'
import { printable } from '../cli/text-width.js'
import type { Select } from './select.js'

interface ListFlags {
  readonly all?: boolean
  readonly inactive?: boolean
  readonly persistent?: boolean
  readonly transient?: boolean
  readonly autostart?: boolean
  readonly name?: boolean
  readonly uuid?: boolean
  readonly id?: boolean
  readonly title?: boolean
}

/** `list`. */
export function addListCommand(program: Command, select: Select): void {
  program
    .command('list')
    .description('list domains: the active ones unless told otherwise')
    .option('--all', 'active and inactive ones')
    .option('--inactive', 'inactive ones only')
    .option('--persistent', 'only those with a stored definition')
    .option('--transient', 'only those without one')
    .option('--autostart', 'only those that are started at boot')
    .option('--no-autostart', 'only those that are not')
    .option('--name', 'print names only')
    .option('--uuid', 'print uuids only')
    .option('--id', 'print ids only')
    .option('--title', 'show titles as well')
    .addHelpText(
      'after',
      '\nExamples:\n  covirt list --all\n  covirt list --name | xargs -n1 covirt shutdown --wait\n',
    )
    .action((flags: ListFlags) => select((cli) => list(cli, flags)))
}

async function list(cli: Cli, flags: ListFlags): Promise<void> {
  const { domains } = await cli.connection()
  const found = [...(await domains.stats(filterOf(flags), { signal: cli.signal }))].sort(byIdThenName)
  const titles = flags.title ? await titlesOf(cli, found) : undefined
  const json = found.map((stats) => ({ ...flatten(stats), ...titles?.(stats) }))
  cli.result({ json, text: textOf(cli, flags, found, titles) })
}

function textOf(
  cli: Cli,
  flags: ListFlags,
  found: readonly DomainStats[],
  titles: ((stats: DomainStats) => { readonly title: string }) | undefined,
): string {
  if (flags.name || flags.uuid || flags.id) {
    const columns = (stats: DomainStats) => [
      ...(flags.id ? [String(stats.domain.id ?? '-')] : []),
      ...(flags.uuid ? [stats.domain.uuid] : []),
      ...(flags.name ? [printable(stats.domain.name)] : []),
    ]
    return found.map((stats) => `${columns(stats).join(' ')}\n`).join('')
  }
  const rows = found.map((stats) => [
    String(stats.domain.id ?? '-'),
    stats.domain.name,
    { text: stateText(stats.state), paint: stateColour(stats.state, cli.output.colour) },
    ...(titles ? [titles(stats).title] : []),
    stats.type,
  ])
  // virsh's columns first: scripts that read its output count them
  return formatTable(['Id', 'Name', 'State', ...(titles ? ['Title'] : []), 'Type'], rows)
}

function filterOf(flags: ListFlags): DomainFilter {
  return {
    ...(flags.all ? {} : { active: !flags.inactive }),
    ...(flags.persistent === flags.transient ? {} : { persistent: flags.persistent === true }),
    ...(flags.autostart === undefined ? {} : { autostart: flags.autostart }),
  }
}

/** As virsh: active ones by id, then the others by name. */
function byIdThenName(a: DomainStats, b: DomainStats): number {
  const byId = (a.domain.id ?? Number.POSITIVE_INFINITY) - (b.domain.id ?? Number.POSITIVE_INFINITY)
  return byId || (a.domain.name < b.domain.name ? -1 : 1)
}

function flatten({ domain, state, ...rest }: DomainStats): object {
  const { id, name, uuid } = domain
  return { ...(id === undefined ? {} : { id }), name, uuid, ...state, ...rest }
}

async function titlesOf(
  cli: Cli,
  found: readonly DomainStats[],
): Promise<(stats: DomainStats) => { readonly title: string }> {
  const [{ driver }, { titleOf }] = await Promise.all([cli.connection(), import('@covirt/xml')])
  const documents = await Promise.all(
    found.map(({ domain }) => driver.getDomainXml(domain, { inactive: true, signal: cli.signal })),
  )
  const titles = new Map(found.map(({ domain }, i) => [domain.uuid, titleOf(documents[i] ?? '')]))
  return ({ domain }) => ({ title: titles.get(domain.uuid) ?? '' })
}
