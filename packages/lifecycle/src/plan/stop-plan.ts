import type { StopPolicy } from '../model/policy.js'
import type { PlanProblem } from './plan-domain.js'
import type { LeftOut } from './start-plan.js'

/** One domain of a {@link StopPlan}. */
export interface StopStep {
  readonly uuid: string
  readonly name: string
  /** Steps of a higher rank are through before it begins; 0 is the lowest. */
  readonly rank: number
  /** The domains that start after this one, and so go down before it. */
  readonly waits: readonly { readonly uuid: string; readonly name: string }[]
  readonly policy: StopPolicy
  readonly reasons: readonly string[]
  /** When it is off if every guest goes off at once, from the plan's beginning. */
  readonly earliestMs: number
  /** When it is off if everything that is tried uses its whole budget. */
  readonly worstMs: number
  /** How long, at the most, those that go down after it take, one after the other. */
  readonly afterMs: number
}

/** What goes down, in which order and why. */
export interface StopPlan {
  readonly kind: 'stop'
  /** In the order in which they begin; each after those that it waits for. */
  readonly steps: readonly StopStep[]
  readonly leftOut: readonly LeftOut[]
  readonly problems: readonly PlanProblem[]
  /** How long all of it may take; budgets are cut where they add up to more. */
  readonly deadlineMs: number
  readonly worstMs: number
}

/** How long the whole of a ladder may take. */
export function ladderMs({ ladder }: Pick<StopPolicy, 'ladder'>): number {
  return ladder.reduce((sum, { budgetMs }) => sum + budgetMs, 0)
}
