import { type Clock, type Driver, silentLogger } from '@covirt/core'
import { formatDomain, parseDomain } from '@covirt/xml'
import { type JournalEntry, MemoryJournal } from '../journal/journal.js'
import { type LifecycleDefaults, lifecycleDefaults } from '../model/defaults.js'
import { planStart } from '../plan/plan-start.js'
import { planStop } from '../plan/plan-stop.js'
import { readPlanDomains } from '../plan/read-plan-domains.js'
import type { StartPlan } from '../plan/start-plan.js'
import type { StopPlan } from '../plan/stop-plan.js'
import type { Progress } from '../run/progress.js'
import { runStart, type StartReport } from '../run/run-start.js'
import { runStop, type StopReport } from '../run/run-stop.js'
import type { RunnerParts } from '../run/runner-parts.js'
import { applyFault, type Fault } from './faults.js'
import { seededNumber } from './seeded.js'
import { SimulatedGuests, simulatedConditions } from './simulated-guests.js'

/** Virtual time that can be advanced, such as core's `FakeClock`. */
export interface AdvancingClock extends Clock {
  advance(ms: number): Promise<void>
}

/** The part of the test driver's controls that simulations use. */
export interface SimulationControls {
  behave(
    domain: string,
    change: {
      readonly startDelayMs?: number
      readonly shutdownDelayMs?: number
      readonly failStarts?: number
      readonly ignoreShutdowns?: number
      readonly agentDelayMs?: number
    },
  ): void
  crash(domain: string): void
  panic(domain: string): void
  hang(domain: string): void
  powerOff(domain: string): void
}

/** Where a simulation takes place: the test driver, opened with the clock. */
export interface SimulationWorld {
  readonly driver: Driver & { readonly controls: SimulationControls }
  readonly clock: AdvancingClock
}

/** A span of which each guest draws its own time. */
export interface Span {
  readonly minMs: number
  readonly maxMs: number
}

/** What is simulated. */
export interface SimulationOptions {
  /** Definitions; all are marked to be started, but for those of `unmarked`. */
  readonly domains: readonly string[]
  /** Names of domains that are not marked to be started. */
  readonly unmarked?: readonly string[] | undefined
  /** Decides all that is drawn. The same seed gives the same run. Default 1. */
  readonly seed?: number | undefined
  /** How long a start takes. Default 5 to 50 ms. */
  readonly start?: Span | undefined
  /** How long after its start a guest is ready. Default 1 to 20 s. */
  readonly boot?: Span | undefined
  /** How long a guest takes to go down. Default 0.5 to 10 s. */
  readonly shutdown?: Span | undefined
  readonly faults?: readonly Fault[] | undefined
  readonly defaults?: Partial<LifecycleDefaults> | undefined
  /** How many boot at the same time. Default 16. */
  readonly limit?: number | undefined
  /** Paths, networks and pools that are not there. Default none. */
  readonly missing?: readonly string[] | undefined
}

/** What happened in a simulation. */
export interface SimulationReport {
  readonly startPlan: StartPlan
  readonly up: StartReport
  readonly stopPlan: StopPlan
  readonly down: StopReport
  readonly journal: readonly JournalEntry[]
  readonly progress: readonly Progress[]
}

const stepMs = 60_000

/**
 * Brings simulated guests up and down again, as the real runners do, in virtual time: to see what a plan does before
 * it is needed. Deterministic: the same world, options and seed give the same report.
 */
export async function simulate(
  world: SimulationWorld,
  options: SimulationOptions,
): Promise<SimulationReport> {
  const { driver, clock } = world
  const defaults = { ...lifecycleDefaults, ...options.defaults }
  const guests = new SimulatedGuests(driver, clock)
  const journal = new MemoryJournal()
  const progress: Progress[] = []
  const parts: RunnerParts = {
    driver,
    clock,
    journal,
    logger: silentLogger,
    actor: 'boot',
    boot: `simulated-${options.seed ?? 1}`,
    probeIo: guests,
    conditions: simulatedConditions(options.missing ?? []),
    onProgress: (each) => progress.push(each),
  }
  try {
    await define(world, guests, options)
    const faults = options.faults ?? []
    for (const fault of faults) await applyFault(fault, 'up', { ...world, guests })
    const domains = await readPlanDomains(driver, { defaults })
    const startPlan = planStart(domains, { defaults, limit: options.limit ?? 16 })
    const up = await drive(clock, runStart(startPlan, parts))
    for (const fault of faults) await applyFault(fault, 'down', { ...world, guests })
    const active = new Set((await driver.listDomains({ active: true })).map(({ uuid }) => uuid))
    const stopPlan = planStop(
      domains.map((domain) => ({ ...domain, active: active.has(domain.ref.uuid) })),
      { defaults },
    )
    const down = await drive(clock, runStop(stopPlan, { ...parts, actor: 'power-off', host: true }))
    return { startPlan, up, stopPlan, down, journal: journal.entries, progress }
  } finally {
    guests.close()
  }
}

async function define(
  { driver }: SimulationWorld,
  guests: SimulatedGuests,
  options: SimulationOptions,
): Promise<void> {
  const { seed = 1, start = { minMs: 5, maxMs: 50 }, boot = { minMs: 1000, maxMs: 20_000 } } = options
  const { shutdown = { minMs: 500, maxMs: 10_000 }, unmarked = [] } = options
  for (const text of options.domains) {
    const domain = await driver.defineDomain(simulatedXml(text))
    const { name } = domain
    const draw = (what: string, { minMs, maxMs }: Span) =>
      minMs + Math.floor(seededNumber(seed, `${what} ${name}`) * (maxMs - minMs + 1))
    const bootMs = draw('boot', boot)
    guests.readyAfter(domain, bootMs)
    driver.controls.behave(name, {
      startDelayMs: draw('start', start),
      shutdownDelayMs: draw('shutdown', shutdown),
      agentDelayMs: bootMs,
    })
    if (!unmarked.includes(name)) await driver.setAutostart(domain, true)
  }
}

/** The definition for the test driver, whatever it is to run on one day. */
function simulatedXml(text: string): string {
  if (/^\s*<domain\s+type=['"]test['"]\s*>/.test(text)) return text
  const document = parseDomain(text)
  if (document.type === 'test') return text
  return formatDomain({ ...document, type: 'test', os: { type: { type: 'hvm' } } })
}

/** Lets time pass until `run` has settled. */
async function drive<T>(clock: AdvancingClock, run: Promise<T>): Promise<T> {
  let settled = false
  const watched = run.finally(() => {
    settled = true
  })
  watched.catch(() => {})
  while (!settled) await clock.advance(stepMs)
  return watched
}
