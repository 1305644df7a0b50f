import { availableParallelism } from 'node:os'
import { type CallOptions, messageOf } from '@covirt/core'
import { type BootHistory, bootHistory } from '../journal/boot-history.js'
import { type LifecycleDefaults, lifecycleDefaults } from '../model/defaults.js'
import type { PlanDomain } from '../plan/plan-domain.js'
import { planStart } from '../plan/plan-start.js'
import { planStop } from '../plan/plan-stop.js'
import { readPlanDomains } from '../plan/read-plan-domains.js'
import type { StartPlan } from '../plan/start-plan.js'
import type { StopPlan } from '../plan/stop-plan.js'
import { clearOnce } from './clear-once.js'
import { Recorder } from './recorder.js'
import { runStart, type StartReport } from './run-start.js'
import type { RunnerParts } from './runner-parts.js'

/** How plans are made of what a driver has. */
export interface MakePlanOptions extends CallOptions {
  readonly defaults?: Partial<LifecycleDefaults> | undefined
  /** The uuids of the only domains that are meant. */
  readonly only?: ReadonlySet<string> | undefined
}

/** What plans are made from. */
export type PlanSources = Pick<RunnerParts, 'driver' | 'journal' | 'boot' | 'logger'>

/** A journal that cannot be read keeps no guest down: it counts as empty. */
async function historyOf({ journal, boot, logger }: PlanSources): Promise<BootHistory> {
  try {
    return bootHistory(await journal.read(), boot)
  } catch (error) {
    logger.error('The journal cannot be read', { error: messageOf(error) })
    return bootHistory([], boot)
  }
}

/**
 * The start plan for the domains of a driver. With `atBoot`, domains that this boot's plan has started before, and
 * that have gone off since, are not started again; and where all guests of the host were taken down in this boot, those
 * that were up then, and only those, come up again.
 */
export async function makeStartPlan(
  sources: PlanSources,
  options: MakePlanOptions & { readonly atBoot?: boolean | undefined } = {},
): Promise<StartPlan> {
  const { signal, only, atBoot } = options
  const defaults = { ...lifecycleDefaults, ...options.defaults }
  const history = await historyOf(sources)
  const domains = await readPlanDomains(sources.driver, {
    defaults,
    wasActive: (uuid) => history.upBefore.has(uuid),
    signal,
  })
  const limit = defaults.limit ?? 2 * availableParallelism()
  return planStart(atBoot ? atThisBoot(domains, history) : domains, { defaults, only, limit })
}

/** The stop plan for the domains of a driver that are up. */
export async function makeStopPlan(
  { driver }: Pick<PlanSources, 'driver'>,
  options: MakePlanOptions = {},
): Promise<StopPlan> {
  const { signal, only } = options
  const defaults = { ...lifecycleDefaults, ...options.defaults }
  return planStop(await readPlanDomains(driver, { defaults, signal }), { defaults, only })
}

/**
 * Runs the start plan of this boot, if it has not run to its end before; goes on with one that has been interrupted.
 * `undefined` where there is nothing to be done, also where all guests were taken down since: {@link runAgain}.
 */
export async function runBoot(
  parts: RunnerParts,
  options: MakePlanOptions = {},
): Promise<StartReport | undefined> {
  const history = await historyOf(parts)
  return history.startPlanDone || history.takenDown ? undefined : runAtBoot(parts, options, history)
}

/**
 * Where all guests of the host were taken down in this boot (a stop plan with the actor `power-off`), brings up those
 * that were up then; goes on where that has been interrupted. `undefined` where they were not, or are up again.
 */
export async function runAgain(
  parts: RunnerParts,
  options: MakePlanOptions = {},
): Promise<StartReport | undefined> {
  const history = await historyOf(parts)
  return history.takenDown ? runAtBoot(parts, options, history) : undefined
}

async function runAtBoot(
  given: RunnerParts,
  options: MakePlanOptions,
  history: BootHistory,
): Promise<StartReport> {
  const parts: RunnerParts = { ...given, actor: 'boot' }
  await finishOnce(parts, history)
  const plan = await makeStartPlan(parts, { ...options, signal: parts.signal, atBoot: true })
  return runStart(plan, parts)
}

/** What has been started once, by whoever died before its definition said so, is not started again. */
async function finishOnce(parts: RunnerParts, { once }: BootHistory): Promise<void> {
  if (once.size === 0) return
  const recorder = new Recorder(parts)
  for (const domain of await parts.driver.listDomains({}, { signal: parts.signal })) {
    const how = once.get(domain.uuid)
    const isOver = how === 'starting' ? domain.id !== undefined : how === 'started'
    if (isOver) await clearOnce(domain, parts, recorder)
  }
  await recorder.flush()
}

/** The domains as a plan of this boot sees them, given what has happened in it. */
function atThisBoot(domains: readonly PlanDomain[], history: BootHistory): readonly PlanDomain[] {
  const { takenDown, startPlanDone, startedThisBoot } = history
  const marked = domains.map((domain): PlanDomain => {
    const { uuid } = domain.ref
    if (takenDown?.has(uuid)) return { ...domain, takenDown: true }
    if (takenDown && startPlanDone)
      return { ...domain, held: 'it was not up when all guests were taken down' }
    return startedThisBoot.has(uuid) ? { ...domain, held: 'this boot has started it before' } : domain
  })
  if (!takenDown || !startPlanDone) return marked
  // What was up without one that it starts after comes up without it again.
  const there = new Set(
    marked.flatMap(({ ref, active, held }) => (active || !held ? [ref.uuid, `name ${ref.name}`] : [])),
  )
  return marked.map((domain) => {
    const { start } = domain.policy
    const after = start.after.filter(({ uuid, name }) => there.has(uuid ?? `name ${name}`))
    return { ...domain, policy: { ...domain.policy, start: { ...start, after } } }
  })
}
