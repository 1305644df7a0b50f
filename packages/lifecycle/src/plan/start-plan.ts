import type { StartPolicy, Until } from '../model/policy.js'
import type { PlanDomain, PlanProblem } from './plan-domain.js'

/** A step that another one waits for. */
export interface StartWait {
  readonly uuid: string
  readonly name: string
  readonly until: Until
  readonly onFailure: 'skip' | 'start'
}

/** One domain of a {@link StartPlan}. */
export interface StartStep {
  readonly uuid: string
  readonly name: string
  /** It runs already: it is not started, only waited for until it is ready. */
  readonly active: boolean
  /** Its order after those of the domains that need it. All steps of a lower one are through before it begins. */
  readonly order: number
  readonly waits: readonly StartWait[]
  readonly policy: StartPolicy
  /** Why it is in the plan, and why in this place. */
  readonly reasons: readonly string[]
  /** When it is ready if every start and every probe takes no time, from the plan's beginning. */
  readonly earliestMs: number
  /** When it is ready, or has failed, if everything takes as long as it may. */
  readonly worstMs: number
}

/** A domain that a plan does not touch, and why. */
export interface LeftOut {
  readonly uuid: string
  readonly name: string
  readonly reason: string
}

/** What comes up, in which order and why. Data: it can be printed, and it is what the runner follows. */
export interface StartPlan {
  readonly kind: 'start'
  /** In the order in which they begin as far as nothing else holds them up; each after those that it waits for. */
  readonly steps: readonly StartStep[]
  readonly leftOut: readonly LeftOut[]
  readonly problems: readonly PlanProblem[]
  /** How many domains boot at the same time. */
  readonly limit: number
  readonly earliestMs: number
  readonly worstMs: number
}

/** The time that a step may take until it is started, and from then until it is ready, in the worst case. */
export function worstOf({ policy, active }: Pick<StartStep, 'policy' | 'active'>): {
  readonly startMs: number
  readonly readyMs: number
} {
  const readyMs = Math.max(0, ...(policy.readiness?.probes ?? []).map(({ timeoutMs }) => timeoutMs))
  if (active) return { startMs: 0, readyMs }
  const requires = Math.max(0, ...policy.requires.map(({ timeoutMs }) => timeoutMs))
  let startMs = requires + policy.attempts * policy.timeoutMs + policy.delayMs
  for (let attempt = 1; attempt < policy.attempts; attempt++) startMs += backoffOf(policy, attempt)
  return { startMs, readyMs }
}

const longestBackoffMs = 5 * 60_000

/** How long after failed attempt number `attempt`, counted from 1, the next one is made: it doubles, to 5 min. */
export function backoffOf({ backoffMs }: Pick<StartPolicy, 'backoffMs'>, attempt: number): number {
  return Math.max(backoffMs, Math.min(backoffMs * 2 ** Math.min(attempt - 1, 30), longestBackoffMs))
}

/** Which domains are candidates at all. */
export function wantedBecause(domain: PlanDomain): string | undefined {
  const { autostart, wasActive, takenDown, policy } = domain
  if (takenDown) return 'it was up when all guests were taken down'
  if (autostart) return 'it is marked to be started at boot'
  if (policy.start.once) return 'it is to be started once'
  if (policy.start.restore && wasActive) return 'it was up when the host went down'
  return undefined
}
