import { silentLogger, VirError } from '@covirt/core'
import type { HostLifecycle, RunOptions, StartReport, StopReport } from '@covirt/lifecycle'
import { type Command, Option } from 'commander'
import type { Cli } from '../cli/cli.js'
import { findDomain } from '../cli/find-domain.js'
import { LiveGuests } from '../cli/live-guests.js'
import { parseCount, parseSeconds } from '../cli/option-values.js'
import type { Select } from './select.js'

interface UpFlags {
  readonly boot?: boolean
  readonly takenDown?: boolean
  readonly limit?: number
}

interface DownFlags {
  readonly host?: boolean
  /** In seconds. */
  readonly deadline?: number
}

/** What brings all guests of a host up and down, and tells how it would. */
export function addPlanCommands(program: Command, select: Select): void {
  const plan = program.command('plan').description('show what would be started or stopped, when and why')
  plan
    .command('start')
    .argument('[domains...]', 'only these and what they need (default: those that are marked)')
    .option('--dot', "print it as a graph in Graphviz' language")
    .option('--limit <number>', 'how many boot at the same time', parseCount)
    .description('what would be started, when and why')
    .action((names: readonly string[], flags: UpFlags & { dot?: boolean }) =>
      select((cli) => showStart(cli, names, flags)),
    )
  plan
    .command('stop')
    .argument('[domains...]', 'only these (default: all that are up)')
    .option('--dot', "print it as a graph in Graphviz' language")
    .option('--deadline <seconds>', 'how long all of it may take', parseSeconds)
    .description('what would be stopped, when and why')
    .action((names: readonly string[], flags: DownFlags & { dot?: boolean }) =>
      select((cli) => showStop(cli, names, flags)),
    )
  program
    .command('up')
    .argument('[domains...]', 'only these and what they need (default: those that are marked)')
    .addOption(
      new Option(
        '--boot',
        'as the host boots: once for each boot, going on where it was interrupted',
      ).conflicts('takenDown'),
    )
    .option('--taken-down', "those that 'covirt down --host' has taken down since the host booted, if it has")
    .option('--limit <number>', 'how many boot at the same time', parseCount)
    .description('start all domains that are to be up, in their order')
    .action((names: readonly string[], flags: UpFlags) => select((cli) => up(cli, names, flags)))
  program
    .command('down')
    .argument('[domains...]', 'only these (default: all that are up)')
    .option('--host', 'as the host goes down: whatever is started meanwhile goes down too')
    .option('--deadline <seconds>', 'how long all of it may take', parseSeconds)
    .description('stop all domains that are up, in their order')
    .action((names: readonly string[], flags: DownFlags) => select((cli) => down(cli, names, flags)))
  program
    .command('explain')
    .argument('<domain>', 'name or uuid')
    .option('--last <number>', 'how many entries to show', parseCount, 20)
    .description('tell who brought a domain up and down lately, and why')
    .action((name: string, flags: { readonly last: number }) =>
      select((cli) => explainDomain(cli, name, flags)),
    )
}

async function showStart(
  cli: Cli,
  names: readonly string[],
  { dot, limit }: UpFlags & { readonly dot?: boolean },
): Promise<void> {
  const { formatPlan, planDot } = await import('@covirt/lifecycle')
  await using lifecycle = await lifecycleOf(cli)
  const plan = await lifecycle.planStart({ only: await uuidsOf(cli, names), limit }, cli)
  cli.result({ json: plan, text: dot ? planDot(plan) : formatPlan(plan) })
}

async function showStop(
  cli: Cli,
  names: readonly string[],
  { dot, deadline }: DownFlags & { readonly dot?: boolean },
): Promise<void> {
  const { formatPlan, planDot } = await import('@covirt/lifecycle')
  await using lifecycle = await lifecycleOf(cli)
  const request = { only: await uuidsOf(cli, names), deadlineMs: milliseconds(deadline) }
  const plan = await lifecycle.planStop(request, cli)
  cli.result({ json: plan, text: dot ? planDot(plan) : formatPlan(plan) })
}

async function up(cli: Cli, names: readonly string[], flags: UpFlags): Promise<void> {
  const { boot, takenDown, limit } = flags
  if (takenDown && (await nothingTakenDown(cli))) {
    cli.result({ json: nothingStarted, text: nothingToStart(flags) })
    return
  }
  await using lifecycle = await lifecycleOf(cli)
  const request = { only: await uuidsOf(cli, names), limit, boot, takenDown }
  const report = await watched(cli, (options) => lifecycle.up(request, options))
  cli.result({ json: report ?? nothingStarted, text: report ? upText(report) : nothingToStart(flags) })
  const missing = (report?.results ?? []).filter(({ outcome }) => outcome !== 'ready')
  if (missing.length > 0) throw notAll('up as planned', missing)
}

const nothingStarted: StartReport = { kind: 'start', results: [], tookMs: 0 }

function nothingToStart({ takenDown }: UpFlags): string {
  return takenDown ? 'Guests were not taken down since this boot\n' : 'This boot has had its plan\n'
}

/** The journal knows without a connection: at a boot there is nothing more to be done. */
async function nothingTakenDown(cli: Cli): Promise<boolean> {
  const { bootHistory, readBootIdentity, readJournal } = await import('@covirt/lifecycle')
  const { journalDirectory } = await import('../open-lifecycle.js')
  const directory = await journalDirectory(cli.uri)
  if (directory === undefined) return false
  return bootHistory(await readJournal(directory), await readBootIdentity()).takenDown === undefined
}

async function down(cli: Cli, names: readonly string[], { host, deadline }: DownFlags): Promise<void> {
  await using lifecycle = await lifecycleOf(cli)
  const request = { only: await uuidsOf(cli, names), deadlineMs: milliseconds(deadline), host }
  const report = await watched(cli, (options) => lifecycle.down(request, options))
  cli.result({ json: report, text: downText(report) })
  const failed = report.results.filter(({ outcome }) => outcome === 'failed')
  if (failed.length > 0) throw notAll('down', failed)
}

async function explainDomain(cli: Cli, text: string, { last }: { readonly last: number }): Promise<void> {
  const { explain } = await import('@covirt/lifecycle')
  const read = await journalReader(cli)
  // The journal knows domains that are not there any more.
  const known = await read({ domain: text, last })
  const entries = known.length > 0 ? known : await read({ domain: (await cli.domain(text)).uuid, last })
  const lines = explain(entries)
  const said = lines.length === 0 ? [`Nothing is known of '${text}'`] : lines
  cli.result({ json: entries, text: said.map((line) => `${line}\n`).join('') })
}

/** Where nobody serves the journal it is read without any connection, which others may be in the way of. */
async function journalReader(cli: Cli): Promise<HostLifecycle['journal']> {
  const { journalDirectory } = await import('../open-lifecycle.js')
  const directory = await journalDirectory(cli.uri)
  if (directory !== undefined) {
    const { readJournal, selectEntries } = await import('@covirt/lifecycle')
    return async (request = {}) => selectEntries(await readJournal(directory), request)
  }
  const lifecycle = await lifecycleOf(cli)
  return (request) => lifecycle.journal(request, cli)
}

async function lifecycleOf(cli: Cli): Promise<HostLifecycle & AsyncDisposable> {
  const logger = {
    ...silentLogger,
    error: (message: string, fields: Readonly<Record<string, unknown>> = {}) =>
      cli.warn(fields.error === undefined ? message : `${message}: ${String(fields.error)}`),
  }
  const { openLifecycle } = await import('../open-lifecycle.js')
  return openLifecycle(await cli.connection(), { logger })
}

/** Runs something and shows meanwhile, to people, how far each guest is. */
async function watched<T>(cli: Cli, run: (options: RunOptions) => Promise<T>): Promise<T> {
  const { signal } = cli
  if (cli.output.json) return run({ signal })
  const live = new LiveGuests(cli.stderr, cli.environment)
  try {
    return await run({ signal, onProgress: (progress) => live.tell(progress) })
  } finally {
    live.end()
  }
}

async function uuidsOf(cli: Cli, names: readonly string[]): Promise<readonly string[] | undefined> {
  if (names.length === 0) return undefined
  const connection = await cli.connection()
  const domains = await Promise.all(names.map((name) => findDomain(connection, name, cli)))
  return domains.map(({ uuid }) => uuid)
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000
}

function upText({ results, tookMs }: StartReport): string {
  const ready = results.filter(({ outcome }) => outcome === 'ready').length
  return `${ready} of ${results.length} up in ${(tookMs / 1000).toFixed(1)} s\n`
}

function downText({ results, tookMs }: StopReport): string {
  const count = (...outcomes: readonly string[]) =>
    results.filter(({ outcome }) => outcomes.includes(outcome)).length
  const parts = [
    [count('clean', 'gone'), 'off'],
    [count('saved'), 'saved'],
    [count('forced'), 'ended by force'],
    [count('left'), 'left up'],
    [count('failed'), 'still up'],
  ] as const
  const words = parts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`)
  return `${words.length === 0 ? 'nothing was up' : words.join(', ')} in ${(tookMs / 1000).toFixed(1)} s\n`
}

function notAll(
  what: string,
  domains: readonly { readonly name: string; readonly reason?: string | undefined }[],
) {
  const [first] = domains
  const names = domains.map(({ name }) => `'${name}'`).join(', ')
  return new VirError(
    'OPERATION_FAILED',
    `Not ${what}: ${names.length > 300 ? `${domains.length} domains` : names}`,
    {
      domain: 'DOM',
      ...(first?.reason !== undefined && { hint: `'${first.name}': ${first.reason}` }),
    },
  )
}
