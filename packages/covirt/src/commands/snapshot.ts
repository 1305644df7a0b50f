import type { DeleteSnapshotOptions, SnapshotInfo } from '@covirt/core'
import type { Command } from 'commander'
import type { Cli } from '../cli/cli.js'
import { readDocument } from '../cli/read-document.js'
import { formatTable } from '../cli/table.js'
import { domainArgument, type Select } from './select.js'

interface CreateFlags {
  readonly diskOnly?: boolean
}

interface RevertFlags {
  readonly running?: boolean
  readonly paused?: boolean
}

interface DeleteFlags {
  readonly children?: boolean
  readonly childrenOnly?: boolean
}

const snapshotArgument = 'name of the snapshot'

/** `snapshot-create-as` and its like. */
export function addSnapshotCommands(program: Command, select: Select): void {
  program
    .command('snapshot-create-as')
    .argument('<domain>', domainArgument)
    .argument('[name]', 'default: the time')
    .argument('[description]')
    .option('--disk-only', 'without the memory of a guest that runs')
    .description('take a snapshot')
    .action(
      (name: string, snapshot: string | undefined, description: string | undefined, flags: CreateFlags) =>
        select(async (cli) => {
          const { formatSnapshot } = await import('@covirt/xml')
          await create(cli, name, formatSnapshot({ name: snapshot, description }), flags)
        }),
    )
  program
    .command('snapshot-create')
    .argument('<domain>', domainArgument)
    .argument('<file>', '<domainsnapshot> XML; - for standard input')
    .option('--disk-only', 'without the memory of a guest that runs')
    .description('take a snapshot as a document says')
    .action((name: string, file: string, flags: CreateFlags) =>
      select(async (cli) => create(cli, name, await readDocument(file, cli), flags)),
    )
  program
    .command('snapshot-list')
    .argument('<domain>', domainArgument)
    .option('--name', 'print names only')
    .description('list the snapshots of a domain')
    .action((name: string, flags: { name?: boolean }) => select((cli) => list(cli, name, flags)))
  program
    .command('snapshot-dumpxml')
    .argument('<domain>', domainArgument)
    .argument('<snapshot>', snapshotArgument)
    .option('--security-info', 'include passwords')
    .description("print a snapshot's XML")
    .action((name: string, snapshot: string, flags: { securityInfo?: boolean }) =>
      select(async (cli) => {
        const domain = await cli.domain(name)
        const xml = await domain.snapshotXml(snapshot, { secure: flags.securityInfo, signal: cli.signal })
        cli.result({ json: { ...domain.ref, snapshot, xml }, text: xml.endsWith('\n') ? xml : `${xml}\n` })
      }),
    )
  program
    .command('snapshot-revert')
    .argument('<domain>', domainArgument)
    .argument('<snapshot>', snapshotArgument)
    .option('--running', 'and start the guest')
    .option('--paused', 'and start the guest paused')
    .description('make what a domain has stored, and its definition, what they were')
    .addHelpText('after', '\nExamples:\n  covirt snapshot-revert web before-upgrade --running\n')
    .action((name: string, snapshot: string, flags: RevertFlags) =>
      select(async (cli) => {
        const domain = await cli.domain(name)
        await domain.revertToSnapshot(snapshot, { ...flags, signal: cli.signal })
        const state = await domain.state({ signal: cli.signal })
        const text = `Domain '${domain.name}' is as in snapshot '${snapshot}', and ${state.state}\n`
        cli.result({ json: { ...domain.ref, snapshot, ...state }, text })
      }),
    )
  program
    .command('snapshot-delete')
    .argument('<domain>', domainArgument)
    .argument('<snapshot>', snapshotArgument)
    .option('--children', 'and all that descend from it')
    .option('--children-only', 'all that descend from it, and not itself')
    .description('delete a snapshot; what the domain now is stays as it is')
    .action((name: string, snapshot: string, flags: DeleteFlags) =>
      select(async (cli) => {
        const domain = await cli.domain(name)
        const children = childrenOf(flags)
        await domain.deleteSnapshot(snapshot, { children, signal: cli.signal })
        const what = children === 'only' ? `Descendants of snapshot '${snapshot}'` : `Snapshot '${snapshot}'`
        cli.result({ json: { ...domain.ref, snapshot, children }, text: `${what} deleted\n` })
      }),
    )
}

async function create(cli: Cli, name: string, xml: string, { diskOnly }: CreateFlags): Promise<void> {
  const domain = await cli.domain(name)
  const snapshot = await domain.createSnapshot(xml, { diskOnly, signal: cli.signal })
  const text = `Snapshot '${snapshot.name}' of '${domain.name}' taken\n`
  cli.result({ json: { domain: domain.ref, ...snapshot }, text })
}

async function list(cli: Cli, name: string, flags: { readonly name?: boolean }): Promise<void> {
  const domain = await cli.domain(name)
  const found = await domain.listSnapshots({ signal: cli.signal })
  const text = flags.name
    ? found.map((snapshot) => `${snapshot.name}\n`).join('')
    : formatTable(['Name', 'Creation Time', 'State', 'Parent', 'Current'], found.map(rowOf))
  cli.result({ json: found, text })
}

function rowOf({ name, createdAt, state, parent = '', current }: SnapshotInfo): readonly string[] {
  return [
    name,
    new Date(createdAt).toISOString().replace(/\.\d+Z$/, 'Z'),
    state,
    parent,
    current ? 'yes' : '',
  ]
}

function childrenOf({ children, childrenOnly }: DeleteFlags): NonNullable<DeleteSnapshotOptions['children']> {
  if (childrenOnly) return 'only'
  return children ? 'too' : 'keep'
}
