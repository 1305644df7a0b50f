import { type Connection, VirError } from '@covirt/core'
import type { MakePlanOptions, RunnerParts, StartReport, StopReport } from '@covirt/lifecycle'
import { type Command, Option } from 'commander'
import type { Cli } from '../cli/cli.js'
import { findDomain } from '../cli/find-domain.js'
import { journalDirectory, lifecycleParts } from '../cli/lifecycle-parts.js'
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
  const { formatPlan, makeStartPlan, planDot } = await import('@covirt/lifecycle')
  const connection = await cli.connection()
  const parts = await lifecycleParts(cli, connection.driver, { actor: 'user' })
  const options = await planOptions(cli, connection, names, { limit })
  const plan = await makeStartPlan(parts, options)
  cli.result({ json: plan, text: dot ? planDot(plan) : formatPlan(plan) })
}

async function showStop(
  cli: Cli,
  names: readonly string[],
  { dot, deadline }: DownFlags & { readonly dot?: boolean },
): Promise<void> {
  const { formatPlan, makeStopPlan, planDot } = await import('@covirt/lifecycle')
  const connection = await cli.connection()
  const plan = await makeStopPlan(connection, await planOptions(cli, connection, names, { deadline }))
  cli.result({ json: plan, text: dot ? planDot(plan) : formatPlan(plan) })
}

async function up(cli: Cli, names: readonly string[], flags: UpFlags): Promise<void> {
  const { boot, takenDown, limit } = flags
  if (takenDown && !(await wereTakenDown(cli))) {
    cli.result({ json: nothingStarted, text: 'Guests were not taken down since this boot\n' })
    return
  }
  const connection = await cli.connection()
  const options = await planOptions(cli, connection, names, { limit })
  const live = liveOf(cli)
  const onProgress = live && ((each: Parameters<LiveGuests['tell']>[0]) => live.tell(each))
  const parts = await lifecycleParts(cli, connection.driver, {
    actor: boot || takenDown ? 'boot' : 'user',
    ...(onProgress && { onProgress }),
  })
  let report: StartReport | undefined
  try {
    report = await runUp(parts, options, flags)
  } finally {
    live?.end()
    await parts.journal.close()
  }
  cli.result({
    json: report ?? nothingStarted,
    text: report ? upText(report) : 'This boot has had its plan\n',
  })
  const missing = (report?.results ?? []).filter(({ outcome }) => outcome !== 'ready')
  if (missing.length > 0) throw notAll('up as planned', missing)
}

const nothingStarted: StartReport = { kind: 'start', results: [], tookMs: 0 }

async function runUp(
  parts: RunnerParts,
  options: MakePlanOptions,
  { boot, takenDown }: UpFlags,
): Promise<StartReport | undefined> {
  const { makeStartPlan, runAgain, runBoot, runStart } = await import('@covirt/lifecycle')
  if (!boot && !takenDown) return runStart(await makeStartPlan(parts, options), parts)
  const again = await runAgain(parts, options)
  return again ?? (boot ? runBoot(parts, options) : undefined)
}

/** The journal knows without a connection: at a boot there is nothing more to be done. */
async function wereTakenDown(cli: Cli): Promise<boolean> {
  const { bootHistory, readBootIdentity, readJournal } = await import('@covirt/lifecycle')
  const directory = journalDirectory(cli.uri)
  if (directory === undefined) return false
  return bootHistory(await readJournal(directory), await readBootIdentity()).takenDown !== undefined
}

async function down(cli: Cli, names: readonly string[], { host, deadline }: DownFlags): Promise<void> {
  const { makeStopPlan, runStop } = await import('@covirt/lifecycle')
  const connection = await cli.connection()
  const options = await planOptions(cli, connection, names, { deadline })
  const live = liveOf(cli)
  const onProgress = live && ((each: Parameters<LiveGuests['tell']>[0]) => live.tell(each))
  const parts = await lifecycleParts(cli, connection.driver, {
    actor: host ? 'power-off' : 'user',
    ...(onProgress && { onProgress }),
  })
  let report: StopReport
  try {
    report = await runStop(await makeStopPlan(connection, options), { ...parts, host })
  } finally {
    live?.end()
    await parts.journal.close()
  }
  cli.result({ json: report, text: downText(report) })
  const failed = report.results.filter(({ outcome }) => outcome === 'failed')
  if (failed.length > 0) throw notAll('down', failed)
}

async function explainDomain(cli: Cli, text: string, { last }: { readonly last: number }): Promise<void> {
  const { explain, historyOfDomain, readJournal } = await import('@covirt/lifecycle')
  const directory = journalDirectory(cli.uri)
  const entries = directory === undefined ? [] : await readJournal(directory)
  // The journal knows domains that are not there any more, and needs no connection.
  const known = entries.findLast(({ uuid, name }) => uuid !== undefined && (name === text || uuid === text))
  const uuid = known?.uuid ?? (await cli.domain(text)).uuid
  const lines = explain(entries, { uuid }, { last })
  const said = lines.length === 0 ? [`Nothing is known of '${text}'`] : lines
  const own = historyOfDomain(entries, { uuid }).slice(-last)
  cli.result({ json: own, text: said.map((line) => `${line}\n`).join('') })
}

async function planOptions(
  cli: Cli,
  connection: Connection,
  names: readonly string[],
  { limit, deadline }: { readonly limit?: number | undefined; readonly deadline?: number | undefined },
): Promise<MakePlanOptions> {
  const domains = await Promise.all(names.map((name) => findDomain(connection, name, { signal: cli.signal })))
  return {
    signal: cli.signal,
    only: names.length === 0 ? undefined : new Set(domains.map(({ uuid }) => uuid)),
    defaults: {
      ...(limit !== undefined && { limit }),
      ...(deadline !== undefined && { deadlineMs: deadline * 1000 }),
    },
  }
}

function liveOf(cli: Cli): LiveGuests | undefined {
  return cli.output.json ? undefined : new LiveGuests(process.stderr, process.env)
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
