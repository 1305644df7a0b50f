import type { Rung, StopAction } from './policy.js'

/** What holds for a domain whose metadata do not say otherwise, and for plans as a whole. */
export interface LifecycleDefaults {
  /** Domains with a lower one start first. */
  readonly order: number
  readonly delayMs: number
  readonly attempts: number
  readonly backoffMs: number
  /** How long one attempt to start may take. */
  readonly startTimeoutMs: number
  /** How long a mount point, a network or a pool is waited for. */
  readonly requireTimeoutMs: number
  readonly probeIntervalMs: number
  readonly probeTimeoutMs: number
  /** How far another domain must be that a domain is to start after. */
  readonly until: 'started' | 'ready'
  /** What becomes of a domain where one that it starts after does not come so far. */
  readonly onFailure: 'skip' | 'start'
  /** Domains that others start after are started too, even if they are not marked to be. */
  readonly pullIn: boolean
  /** How many domains boot at the same time; `undefined`: twice as many as there are processors. */
  readonly limit: number | undefined
  readonly stopAction: StopAction
  readonly stopPriority: number
  /** What is tried to bring a domain down, in this order. */
  readonly ladder: readonly Rung[]
  /** How long all domains together may take to go down. */
  readonly deadlineMs: number
}

/** The defaults of the defaults. */
export const lifecycleDefaults: LifecycleDefaults = {
  order: 1000,
  delayMs: 0,
  attempts: 1,
  backoffMs: 5000,
  startTimeoutMs: 90_000,
  requireTimeoutMs: 60_000,
  probeIntervalMs: 1000,
  probeTimeoutMs: 120_000,
  until: 'ready',
  onFailure: 'skip',
  pullIn: true,
  limit: undefined,
  stopAction: 'shutdown',
  stopPriority: 0,
  ladder: [
    { by: 'request', budgetMs: 90_000 },
    { by: 'destroy', budgetMs: 5000 },
  ],
  deadlineMs: 300_000,
}
