import { type Clock, isVirError } from '@covirt/core'
import { encodeFrame, type Frame, frameStatuses, frameTypes } from './frame.js'
import { keepaliveProgram } from './procedure.js'

const procedures = { ping: 1, pong: 2 } as const

/** Asks the other end whether it lives. */
export const pingFrame = keepaliveFrame(procedures.ping)
/** Tells the other end that we live. */
export const pongFrame = keepaliveFrame(procedures.pong)

/** What a packet has to do with signs of life; `undefined` where it belongs to another program. */
export function keepaliveOf(frame: Frame): 'ping' | 'pong' | 'unknown' | undefined {
  if (frame.program !== keepaliveProgram.number) return undefined
  if (frame.type !== frameTypes.message) return 'unknown'
  if (frame.procedure === procedures.ping) return 'ping'
  return frame.procedure === procedures.pong ? 'pong' : 'unknown'
}

/** How an end makes sure that the other one lives. */
export interface KeepaliveParts {
  readonly clock: Clock
  /** How long the other end may be silent before it is asked. */
  readonly intervalMs: number
  /** How often it is asked, an interval apart, before it is held for dead. */
  readonly count: number
  readonly ping: () => void
  readonly onDead: () => void
}

/** Watches over the other end: any packet from it counts as life. libvirt's ends ask every 5 s, 5 times. */
export class Keepalive {
  readonly #parts: KeepaliveParts
  readonly #over = new AbortController()
  #heardAt: number
  #missed = 0

  constructor(parts: KeepaliveParts) {
    this.#parts = parts
    this.#heardAt = parts.clock.now()
    void this.#watch()
  }

  /** Something has come from the other end. */
  heard(): void {
    this.#heardAt = this.#parts.clock.now()
    this.#missed = 0
  }

  stop(): void {
    this.#over.abort()
  }

  async #watch(): Promise<void> {
    const { clock, intervalMs, count, ping, onDead } = this.#parts
    const { signal } = this.#over
    try {
      for (let waitMs = intervalMs; ; ) {
        await clock.sleep(waitMs, { signal })
        const dueMs = this.#heardAt + (this.#missed + 1) * intervalMs - clock.now()
        if (dueMs > 0) {
          waitMs = dueMs
          continue
        }
        if (this.#missed >= count) return onDead()
        this.#missed++
        ping()
        waitMs = intervalMs
      }
    } catch (error) {
      if (!isVirError(error, 'OPERATION_ABORTED')) throw error
    }
  }
}

function keepaliveFrame(procedure: number): Buffer {
  const { number: program, version } = keepaliveProgram
  return encodeFrame({
    program,
    version,
    procedure,
    type: frameTypes.message,
    serial: 0,
    status: frameStatuses.ok,
  })
}
