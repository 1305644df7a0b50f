import { type Clock, type ShutdownMode, VirError } from '@covirt/core'
import { type InitKind, type InitSignals, initSignals, isHeard, signalNumber } from '../host/init-kind.js'
import { signalMasks } from '../host/processes.js'
import type { WatchedInit } from './watched-init.js'

/** An init that has just been executed takes some milliseconds until it listens to signals. */
const hearingMs = 500
const hearingStepMs = 5

interface Request {
  readonly kind: InitKind
  readonly wish: keyof InitSignals
  readonly mode: ShutdownMode | undefined
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks an init to go down or to restart, as soon as it listens. Resolves to the signals that it understands.
 * `ARGUMENT_UNSUPPORTED` for a mode that is none of a container's.
 */
export async function signalInit(
  { pid, watch }: WatchedInit,
  { kind, wish, mode, clock, signal }: Request,
): Promise<InitSignals> {
  if (mode === 'acpi' || mode === 'agent') {
    throw new VirError('ARGUMENT_UNSUPPORTED', `A container cannot be asked by '${mode}'`, {
      domain: 'LXC',
      hint: "It is sent a signal: 'signal'",
    })
  }
  for (let waitedMs = 0; ; waitedMs += hearingStepMs) {
    const masks = await signalMasks(pid)
    const signals = initSignals(kind, masks)
    if (!masks || isHeard(signals[wish], masks) || waitedMs >= hearingMs) {
      watch.kill(signalNumber(signals[wish]))
      return signals
    }
    await clock.sleep(hearingStepMs, { signal })
  }
}
