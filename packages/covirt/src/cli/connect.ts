import { type CallOptions, type Clock, isVirError, systemClock } from '@covirt/core'

/** How long one waits for what another process holds. */
export interface WaitOptions extends CallOptions {
  readonly timeoutMs: number
  readonly clock?: Clock
  /** Called once, when it begins to wait. */
  readonly onWait?: (message: string) => void
}

const firstDelayMs = 20
const longestDelayMs = 250

/**
 * Calls `open` again while it is refused with `RESOURCE_BUSY`, which names the holder: commands on one root take
 * turns. Rejects with the last refusal after `timeoutMs`.
 */
export async function whenFree<T>(open: () => Promise<T>, options: WaitOptions): Promise<T> {
  const { timeoutMs, clock = systemClock, signal, onWait } = options
  const deadline = clock.now() + timeoutMs
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 1.5, longestDelayMs)) {
    try {
      return await open()
    } catch (error) {
      const leftMs = deadline - clock.now()
      if (!isVirError(error, 'RESOURCE_BUSY') || leftMs <= 0) throw error
      if (delayMs === firstDelayMs) onWait?.(error.message)
      await clock.sleep(Math.min(delayMs, leftMs), { signal })
    }
  }
}
