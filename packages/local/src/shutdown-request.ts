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
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): void {
  active.shutdown?.callOff()
  const { askedAt, mode } = request
  let calledOff = false
  let stopWaiting = () => {}
  active.shutdown = {
    ...request,
    callOff: () => {
      calledOff = true
      stopWaiting()
    },
  }
  const ask = async () => {
    try {
      await entry.jobs.run('shutdown', {}, async (options) => {
        if (!calledOff && entry.active === active && entry.state.state === 'running')
          await active.guest.shutdown(mode, options)
      })
    } catch (error) {
      // A guest that has gone off has been asked often enough.
      if (calledOff || entry.active !== active) return
      logger.warn('Repeating a shutdown request failed', { domain: entry.name, error: messageOf(error) })
    }
  }
  const wait = (count: number) => {
    const passed = clock.now() - askedAt
    const next = repeatAtMs.findIndex((atMs, index) => index >= count && atMs >= passed)
    const atMs = repeatAtMs[next]
    if (calledOff || atMs === undefined) return
    stopWaiting = clock.after(atMs - passed, () => {
      void ask().then(() => entry.active === active && wait(next + 1))
    })
  }
  wait(0)
}
