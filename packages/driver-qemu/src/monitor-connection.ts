import { abortError, type CallOptions, type Clock, VirError } from '@covirt/core'
import { monitorSocket } from './command-line/guest-plan.js'
import type { QemuProcess } from './process/qemu-process.js'
import { connectUnix } from './process/unix-socket.js'
import { fromEarlyEnd } from './qemu-errors.js'
import { QmpChannel } from './qmp/qmp-channel.js'

/** QEMU makes its socket some 10 ms after it was spawned, and says nothing then. */
const retryMs = 2
/** How long a QEMU may take to end whose monitor has closed. */
const endGraceMs = 1000

/** Whose monitor, and where it is. */
export interface MonitorPlace {
  /** It may just have been spawned: its socket is waited for. */
  readonly isNew: boolean
  /** Within this time QEMU must have greeted. */
  readonly timeoutMs: number
  readonly process: QemuProcess
  readonly runDirectory: string
  readonly clock: Clock
}

/**
 * Connects to the monitor of a QEMU that may just have been spawned. Rejects with what QEMU said where it ends
 * instead, and with `OPERATION_TIMEOUT` where it does neither in time.
 */
export async function connectMonitor(place: MonitorPlace, { signal }: CallOptions): Promise<QmpChannel> {
  const giveUp = new AbortController()
  const stop = signal ? AbortSignal.any([signal, giveUp.signal]) : giveUp.signal
  let end: Error | undefined
  const timeout = place.clock.sleep(place.timeoutMs, { signal: stop }).then(() => silent(place))
  const ended = place.process.exited.then(async (how) =>
    fromEarlyEnd('QEMU could not start', how, await place.process.lastWords()),
  )
  const onEnd = (error: Error) => {
    end = error
    giveUp.abort()
  }
  ended.then(onEnd)
  timeout.then(onEnd, () => {})
  try {
    return await greet(place, stop)
  } catch (error) {
    if (signal?.aborted) throw abortError(signal)
    // A monitor that closes is that of a QEMU about to end, which is the better story.
    throw end ?? (await withinGrace(ended, place.clock)) ?? error
  } finally {
    giveUp.abort()
  }
}

/** Whose end is near; the clock is left alone once it has come: a program may want to end as well. */
async function withinGrace(ended: Promise<Error>, clock: Clock): Promise<Error | undefined> {
  const over = new AbortController()
  const grace = clock.sleep(endGraceMs, { signal: over.signal }).catch(() => undefined)
  try {
    return (await Promise.race([ended, grace])) ?? undefined
  } finally {
    over.abort()
  }
}

async function greet({ runDirectory, clock, isNew }: MonitorPlace, signal: AbortSignal): Promise<QmpChannel> {
  for (;;) {
    try {
      const socket = await connectUnix(runDirectory, monitorSocket)
      return await QmpChannel.open(socket, { signal })
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // A QEMU that stands still, or talks with somebody else, lets very few wait for it.
      if (code !== 'EAGAIN' && !(isNew && isNotYet(code))) throw error
      await clock.sleep(retryMs, { signal })
    }
  }
}

function isNotYet(code: string | undefined): boolean {
  return code === 'ENOENT' || code === 'ECONNREFUSED'
}

function silent({ process, timeoutMs, isNew }: MonitorPlace): VirError {
  const { pid } = process.identity
  return new VirError(
    'OPERATION_TIMEOUT',
    `QEMU (process ${pid}) did not answer within ${timeoutMs / 1000} s`,
    {
      domain: 'QEMU',
      hint: isNew
        ? 'Is the host overloaded? The log of the guest may tell more'
        : `Is it stopped or hung ('ps -o stat ${pid}'), or does another program hold its monitor? 'destroy' ends it`,
    },
  )
}
