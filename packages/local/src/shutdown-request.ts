import type { CallOptions, Clock } from '@covirt/core'

/** When a request to shut down is repeated: milliseconds after the one before. Together, a minute. */
const repeatAfterMs = [1000, 2000, 4000, 8000, 15_000, 30_000]

/**
 * Repeats a request to shut down until `signal` fires: a guest that has not set itself up to be asked loses
 * what it is asked, and answers none.
 */
export async function repeatShutdown(
  ask: (options: CallOptions) => Promise<void>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  for (const ms of repeatAfterMs) {
    await clock.sleep(ms, { signal })
    await ask({ signal })
  }
}
