import { type Driver, type DriverEvent, FakeClock, silentLogger, VirError } from '@covirt/core'
import {
  lifecycleDefaults,
  MemoryJournal,
  planStart,
  planStop,
  type RunnerParts,
  runStart,
  runStop,
  type StartPlan,
  type StartReport,
  type StopPlan,
  type StopReport,
} from '@covirt/lifecycle'
import { expect, test } from '@jest/globals'
import { random, randomDomains } from './random-graphs.js'
import { drive, easyProbes, goodHost } from './world.js'

const graphs = Number(process.env.COVIRT_LIFECYCLE_GRAPHS ?? 200)

/** A host of guests that are only up or off. Starting and stopping takes them some time, which a seed decides. */
class Host {
  readonly clock = new FakeClock()
  /** What was asked of guests, in the order in which it was. */
  readonly asked: string[] = []
  readonly fails = new Set<string>()
  /** The most that were on their way at the same time. */
  mostAtOnce = 0
  readonly #listeners = new Set<(event: DriverEvent) => void>()
  readonly #next: () => number
  #underWay = 0

  constructor(seed: number) {
    this.#next = random(seed)
  }

  get parts(): RunnerParts {
    return {
      driver: this.#driver,
      clock: this.clock,
      logger: silentLogger,
      journal: new MemoryJournal(),
      actor: 'boot',
      boot: 'boot-1',
      probeIo: easyProbes,
      conditions: goodHost,
    }
  }

  get #driver(): Driver {
    const takeTime = async (uuid: string) => {
      this.asked.push(uuid)
      this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#underWay)
      await this.clock.sleep(Math.floor(this.#next() * 4) * 700)
      this.#underWay -= 1
    }
    const driver: Pick<Driver, 'subscribe' | 'startDomain' | 'shutdownDomain' | 'getDomainState'> = {
      subscribe: (listener) => {
        this.#listeners.add(listener)
        return () => this.#listeners.delete(listener)
      },
      startDomain: async (domain) => {
        await takeTime(domain.uuid)
        if (this.fails.has(domain.uuid)) throw new VirError('OPERATION_FAILED', 'it was told to fail')
        return { ...domain, id: 1 }
      },
      shutdownDomain: async (domain) => {
        await takeTime(domain.uuid)
        for (const listener of this.#listeners)
          listener({ type: 'lifecycle', domain, event: 'stopped', detail: 'shutdown' })
      },
      getDomainState: async () => ({ state: 'running', reason: 'booted' }),
    }
    return driver as Driver
  }
}

/** Who would not be started, given who cannot be: whoever cannot do without one that is not. */
function notStarted(plan: StartPlan, fails: ReadonlySet<string>): ReadonlySet<string> {
  const without = new Set<string>()
  for (const { uuid, active, waits } of plan.steps) {
    const isSkipped = waits.some((wait) => wait.onFailure === 'skip' && without.has(wait.uuid))
    if (!active && (fails.has(uuid) || isSkipped)) without.add(uuid)
  }
  return without
}

/** What a run did that its plan did not say. */
function deviations(plan: StartPlan, report: StartReport, host: Host): readonly string[] {
  const found: string[] = []
  const without = notStarted(plan, host.fails)
  const results = new Map(report.results.map((result) => [result.uuid, result]))
  const of = (uuid: string) => results.get(uuid) as StartReport['results'][number]
  const skipped = (uuid: string) => without.has(uuid) && !host.fails.has(uuid)
  const due = plan.steps.filter(({ uuid, active }) => !active && of(uuid)?.outcome !== 'skipped')
  if (report.results.length !== plan.steps.length) found.push('other domains')
  if (
    [...host.asked].sort().join() !==
    due
      .map(({ uuid }) => uuid)
      .sort()
      .join()
  )
    found.push('other starts')
  if (host.mostAtOnce > plan.limit) found.push(`${host.mostAtOnce} at once`)
  for (const step of plan.steps) {
    const { name, uuid, active, waits, order } = step
    const result = of(uuid)
    const failed = host.fails.has(uuid) && !active
    const expected = waits.some((wait) => wait.onFailure === 'skip' && without.has(wait.uuid))
    const outcome = active ? 'ready' : expected ? 'skipped' : failed ? 'failed' : 'ready'
    if (result.outcome !== outcome) found.push(`${name} is ${result.outcome}, not ${outcome}`)
    if (skipped(uuid) && result.attempts > 0) found.push(`${name} was tried`)
    if (result.endedMs > step.worstMs) found.push(`${name} took longer than the worst case`)
    // One that fails takes none of the time that others are to be given after it.
    if (host.fails.size === 0 && result.endedMs < step.earliestMs) found.push(`${name} was too early`)
    if (active || outcome === 'skipped') continue
    for (const wait of waits) {
      const other = of(wait.uuid)
      const passed =
        other.outcome === 'ready' && wait.until === 'started' ? (other.startedMs ?? 0) : other.endedMs
      if (result.beganMs < passed) found.push(`${name} did not wait for ${wait.name}`)
    }
    for (const lower of plan.steps) {
      if (lower.order < order && of(lower.uuid).endedMs > result.beganMs)
        found.push(`${name} came before ${lower.name}, whose order is lower`)
    }
  }
  return found
}

function stopDeviations(plan: StopPlan, report: StopReport, host: Host): readonly string[] {
  const found: string[] = []
  const results = new Map(report.results.map((result) => [result.uuid, result]))
  const of = (uuid: string) => results.get(uuid) as StopReport['results'][number]
  const asked = plan.steps.map(({ uuid }) => uuid)
  if ([...new Set(host.asked)].sort().join() !== [...asked].sort().join()) found.push('others were asked')
  for (const { name, uuid, waits, rank, worstMs } of plan.steps) {
    const { outcome, beganMs, endedMs } = of(uuid)
    if (outcome !== 'clean') found.push(`${name} is ${outcome}`)
    if (endedMs > worstMs) found.push(`${name} took longer than the worst case`)
    for (const wait of waits)
      if (of(wait.uuid).endedMs > beganMs) found.push(`${name} did not wait for ${wait.name}`)
    for (const higher of plan.steps)
      if (higher.rank > rank && of(higher.uuid).endedMs > beganMs)
        found.push(`${name} went before ${higher.name}, whose rank is higher`)
  }
  return found
}

test(`over ${graphs} random graphs, what comes up is what the plan says, in its order and its times`, async () => {
  for (let seed = 1; seed <= graphs; seed++) {
    const next = random(seed + 1_000_000)
    const plan = planStart(randomDomains(seed), {
      defaults: lifecycleDefaults,
      limit: 1 + Math.floor(next() * 5),
    })
    const host = new Host(seed)
    for (const { uuid } of plan.steps) if (seed % 4 !== 0 && next() < 0.15) host.fails.add(uuid)
    const report = await drive(host.clock, runStart(plan, host.parts), 600_000)
    expect({ seed, deviations: deviations(plan, report, host) }).toEqual({ seed, deviations: [] })
  }
}, 3_600_000)

test(`over ${graphs} random graphs, what goes down is what the plan says, in its order and its times`, async () => {
  for (let seed = 1; seed <= graphs; seed++) {
    const plan = planStop(randomDomains(seed, true), { defaults: { deadlineMs: 3_600_000 } })
    const host = new Host(seed)
    const report = await drive(host.clock, runStop(plan, host.parts), 600_000)
    expect({ seed, deviations: stopDeviations(plan, report, host) }).toEqual({ seed, deviations: [] })
  }
}, 3_600_000)
