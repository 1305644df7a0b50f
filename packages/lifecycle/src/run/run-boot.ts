import { availableParallelism } from 'node:os'
import { type CallOptions, messageOf } from '@covirt/core'
import { type BootHistory, bootHistory } from '../journal/boot-history.js'
import { type LifecycleDefaults, lifecycleDefaults } from '../model/defaults.js'
import { planStart } from '../plan/plan-start.js'
import { planStop } from '../plan/plan-stop.js'
import { type ReadPlanDomainsOptions, readPlanDomains } from '../plan/read-plan-domains.js'
import type { StartPlan } from '../plan/start-plan.js'
import type { StopPlan } from '../plan/stop-plan.js'
import { runStart, type StartReport } from './run-start.js'
import type { RunnerParts } from './runner-parts.js'

/** How plans are made of what a driver has. */
export interface MakePlanOptions extends CallOptions, Pick<ReadPlanDomainsOptions, 'nativeStart'> {
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
 * that have gone off since, are not started again.
 */
export async function makeStartPlan(
  sources: PlanSources,
  options: MakePlanOptions & { readonly atBoot?: boolean | undefined } = {},
): Promise<StartPlan> {
  const { signal, nativeStart, only } = options
  const defaults = { ...lifecycleDefaults, ...options.defaults }
  const history = await historyOf(sources)
  const held = (uuid: string) =>
    options.atBoot && history.startedThisBoot.has(uuid) ? 'this boot has started it before' : undefined
  const wasActive = (uuid: string) => history.upBefore.has(uuid)
  const domains = await readPlanDomains(sources.driver, { defaults, nativeStart, wasActive, held, signal })
  return planStart(domains, { defaults, only, limit: defaults.limit ?? 2 * availableParallelism() })
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
 * `undefined` where there is nothing to be done.
 */
export async function runBoot(
  parts: RunnerParts,
  options: MakePlanOptions = {},
): Promise<StartReport | undefined> {
  const { startPlanDone } = await historyOf(parts)
  if (startPlanDone) return undefined
  const plan = await makeStartPlan(parts, { ...options, signal: parts.signal, atBoot: true })
  return runStart(plan, { ...parts, actor: 'boot' })
}
