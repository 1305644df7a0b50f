import type { Duplex } from 'node:stream'
import { type Clock, VirError } from '@covirt/core'
import { type Frame, type FrameHeader, frameTypes, type XdrWriter } from '@covirt/protocol'
import { SessionStream } from './session-stream.js'

/** What {@link SessionStreams} needs of its session. */
export interface StreamsSink {
  readonly clock: Clock
  /** How long what is behind a stream may take nothing of what has come for it, in milliseconds. */
  readonly stalledMs: number
  sendFrame(header: FrameHeader, payload?: Uint8Array | ((writer: XdrWriter) => void)): boolean
  /** Whether the client may be read has changed. */
  onWaiting(): void
}

/** The streams of one client. Their packets are told apart by the call that has opened them. */
export class SessionStreams {
  readonly #sink: StreamsSink
  readonly #max: number
  readonly #streams = new Map<string, SessionStream>()
  #waiting = 0
  #isGone = false

  constructor(sink: StreamsSink, max: number) {
    this.#sink = sink
    this.#max = max
  }

  /** What some stream has received waits to be taken: the client should not be read. */
  get waiting(): boolean {
    return this.#waiting > 0
  }

  /** Throws where the client has as many streams as it may. */
  reserve(): void {
    if (this.#streams.size < this.#max) return
    throw new VirError('OPERATION_FAILED', `A connection may have ${this.#max} streams open`, {
      domain: 'STREAMS',
    })
  }

  /** Makes `source` the stream of the call `header`. `RPC` where a stream of the same call is open already. */
  open(call: FrameHeader, source: Duplex): SessionStream {
    const key = keyOf(call)
    if (this.#streams.has(key))
      throw new VirError('RPC', `There is a stream with serial ${call.serial} already`, { domain: 'RPC' })
    const { program, version, procedure, serial } = call
    const stream = new SessionStream(source, {
      send: (status, payload) =>
        this.#sink.sendFrame(
          { program, version, procedure, serial, type: frameTypes.stream, status },
          payload,
        ),
      clock: this.#sink.clock,
      stalledMs: this.#sink.stalledMs,
      onWaiting: (waiting) => {
        this.#waiting += waiting ? 1 : -1
        this.#sink.onWaiting()
      },
      onOver: () => {
        if (this.#streams.get(key) === stream) this.#streams.delete(key)
      },
    })
    // The client may have gone before its call was over.
    if (this.#isGone) {
      stream.destroy()
      return stream
    }
    this.#streams.set(key, stream)
    return stream
  }

  /** A packet of some stream. What comes for a stream that is over was on its way then, and is dropped. */
  receive(frame: Frame): void {
    const stream = this.#streams.get(keyOf(frame))
    if (frame.type === frameTypes.streamHole) stream?.receiveHole()
    else stream?.receive(frame)
  }

  /** The client keeps up again. */
  resume(): void {
    for (const stream of this.#streams.values()) stream.resume()
  }

  /** The client is gone. */
  destroy(): void {
    this.#isGone = true
    for (const stream of this.#streams.values()) stream.destroy()
    this.#streams.clear()
  }
}

function keyOf({ program, procedure, serial }: FrameHeader): string {
  return `${program}/${procedure}/${serial}`
}
