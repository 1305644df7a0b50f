import { type Clock, type Logger, messageOf } from '@covirt/core'
import type { ActiveGuest, DomainEntry } from './domain-entry.js'
import type { ShutdownRequest } from './domain-store.js'

/** When a request to shut down is repeated: milliseconds after it was made first. */
const repeatAtMs = [1000, 3000, 7000, 15_000, 30_000, 60_000]

/**
 * Repeats a request to shut down that has been made, until the guest goes off or its last time has come: a guest
 * that has not set itself up to be asked loses what it is asked. Takes the place of an earlier request.
 */
export function repeatShutdown(
  entry: DomainEntry,
  active: ActiveGuest,
  request: ShutdownRequest,
  parts: { readonly clock: Clock; readonly logger: Logger },
): void {
  active.shutdown?.over.abort('it is asked anew')
  const over = new AbortController()
  active.shutdown = { ...request, over }
  void ask(entry, active, request, { ...parts, signal: over.signal })
}

async function ask(
  entry: DomainEntry,
  active: ActiveGuest,
  { askedAt, mode }: ShutdownRequest,
  { clock, logger, signal }: { readonly clock: Clock; readonly logger: Logger; readonly signal: AbortSignal },
): Promise<void> {
  for (const atMs of repeatAtMs) {
    const waitMs = askedAt + atMs - clock.now()
    if (waitMs < 0) continue
    try {
      await clock.sleep(waitMs, { signal })
      await entry.jobs.run('shutdown', { signal }, async (options) => {
        if (entry.active === active && entry.state.state === 'running')
          await active.guest.shutdown(mode, options)
      })
    } catch (error) {
      // A guest that has gone off has been asked often enough.
      if (signal.aborted || entry.active !== active) return
      logger.warn('Repeating a shutdown request failed', { domain: entry.name, error: messageOf(error) })
    }
  }
}
