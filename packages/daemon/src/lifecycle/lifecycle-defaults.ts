import { type LifecycleDefaults, lifecycleDefaults } from '@covirt/lifecycle'
import type { LifecycleConfig } from '../config/config-schema.js'

/** The defaults that a configuration asks for; what it does not say is as it is without one. */
export function defaultsOf(config: LifecycleConfig): LifecycleDefaults {
  const given = lifecycleDefaults
  const ms = (seconds: number | undefined, fallback: number) =>
    seconds === undefined ? fallback : Math.round(seconds * 1000)
  return {
    order: config.order ?? given.order,
    delayMs: ms(config.delay, given.delayMs),
    attempts: config.attempts ?? given.attempts,
    backoffMs: ms(config.backoff, given.backoffMs),
    startTimeoutMs: ms(config.startTimeout, given.startTimeoutMs),
    requireTimeoutMs: given.requireTimeoutMs,
    probeIntervalMs: ms(config.probeInterval, given.probeIntervalMs),
    probeTimeoutMs: ms(config.probeTimeout, given.probeTimeoutMs),
    until: config.until ?? given.until,
    onFailure: config.onFailure ?? given.onFailure,
    pullIn: config.pullIn ?? given.pullIn,
    limit: config.limit ?? given.limit,
    stopAction: config.stopAction ?? given.stopAction,
    stopPriority: given.stopPriority,
    ladder: given.ladder.map((rung) =>
      rung.by === 'request' ? { ...rung, budgetMs: ms(config.shutdownBudget, rung.budgetMs) } : rung,
    ),
    deadlineMs: ms(config.deadline, given.deadlineMs),
  }
}
