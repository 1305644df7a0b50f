import type { Duplex } from 'node:stream'
import { type Clock, messageOf, VirError } from '@covirt/core'
import { errorRecord, type Frame, frameStatuses, limits, type XdrWriter } from '@covirt/protocol'

const maxDataBytes = limits.streamFrameBytes - 28
/** How much may wait to be taken by what is behind a stream before the client is no longer read. */
const maxWaitingBytes = 1_048_576

/** What a {@link SessionStream} needs of its session. */
export interface StreamSink {
  readonly clock: Clock
  /** How long `source` may take nothing, in milliseconds: meanwhile the client is not read, and not known to live. */
  readonly stalledMs: number
  /** Sends a packet of this stream; false where the client does not keep up. */
  send(status: number, payload?: Uint8Array | ((writer: XdrWriter) => void)): boolean
  /** The stream's own back pressure towards the client has changed. */
  onWaiting(waiting: boolean): void
  /** Nothing more will be sent, nor needs to be received. */
  onOver(): void
}

/**
 * The server's end of one stream: what comes out of `source` goes to the client, and what the client sends goes
 * into it, each as fast as the slower of the two.
 */
export class SessionStream {
  readonly #source: Duplex
  readonly #sink: StreamSink
  /** We have sent all that there is, and the client has yet to say that it is done. */
  #sentAll = false
  #finishing = false
  #over = false
  /** Aborted once what waits to be taken is taken. */
  #waiting: AbortController | undefined
  #started = false
  /** Why it broke before it was let flow: the answer to the call goes first. */
  #broken: unknown

  constructor(source: Duplex, sink: StreamSink) {
    this.#source = source
    this.#sink = sink
    source.on('error', (error) => {
      if (this.#started) this.#fail(error)
      else this.#broken ??= error
    })
  }

  /** Lets it flow. */
  start(): void {
    const source = this.#source
    this.#started = true
    if (this.#over) return
    if (this.#broken !== undefined) this.#fail(this.#broken)
    else if (source.closed) this.#sendEnd()
    source.on('data', (chunk: Buffer) => this.#sendData(chunk))
    source.on('end', () => this.#sendEnd())
    source.on('close', () => this.#sendEnd())
    source.on('drain', () => this.#setWaiting(false))
  }

  /** The client keeps up again. */
  resume(): void {
    if (!this.#over) this.#source.resume()
  }

  /** A packet of this stream has come from the client. */
  receive({ status, payload }: Frame): void {
    if (this.#over) return
    if (status === frameStatuses.more) this.#receiveData(payload)
    else if (status === frameStatuses.ok) this.#finish()
    else {
      // Given up by the client; libvirt confirms that, too.
      this.#finishing = true
      this.#close()
    }
  }

  /** A hole in sparse data: nothing behind our streams has any. */
  receiveHole(): void {
    this.#fail(new VirError('NO_SUPPORT', 'This stream has no holes', { domain: 'STREAMS' }))
  }

  /** The client is gone. */
  destroy(): void {
    this.#over = true
    this.#waiting?.abort()
    this.#source.destroy()
  }

  #sendData(chunk: Buffer): void {
    if (this.#over) return
    let keepsUp = true
    for (let at = 0; at < chunk.length; at += maxDataBytes)
      keepsUp = this.#sink.send(frameStatuses.more, chunk.subarray(at, at + maxDataBytes))
    if (!keepsUp) this.#source.pause()
  }

  #sendEnd(): void {
    if (this.#over || this.#sentAll || this.#finishing) return
    this.#sentAll = true
    this.#sink.send(frameStatuses.more)
  }

  #receiveData(payload: Buffer): void {
    if (payload.length === 0 || this.#sentAll || !this.#source.writable) return
    if (this.#source.write(payload)) return
    // A stream of packets counts those that wait, not their bytes.
    const { writableObjectMode, writableLength } = this.#source
    if (writableObjectMode || writableLength > maxWaitingBytes) this.#setWaiting(true)
  }

  #finish(): void {
    if (this.#finishing) return
    this.#finishing = true
    // What the client has sent is to arrive before it is told that it has.
    if (!this.#source.writable) this.#close()
    else
      this.#source.end((error?: NodeJS.ErrnoException | null) => {
        // That it was destroyed before it had ended is no failure: its reason is told as such.
        if (error && error.code !== 'ERR_STREAM_DESTROYED') this.#fail(error)
        else this.#close()
      })
  }

  /** The client is told once what is behind the stream is free: it may open it anew at once. */
  #close(): void {
    this.#source.destroy()
    if (this.#source.closed) this.#end(frameStatuses.ok)
    else this.#source.once('close', () => this.#end(frameStatuses.ok))
  }

  #fail(error: unknown): void {
    if (this.#over) return
    this.#source.destroy()
    const known =
      error instanceof VirError ? error : new VirError('OPERATION_FAILED', messageOf(error), { cause: error })
    this.#end(frameStatuses.error, (writer) => errorRecord.encode(writer, known))
  }

  #end(status: number, payload?: (writer: XdrWriter) => void): void {
    if (this.#over) return
    this.#over = true
    this.#sink.send(status, payload)
    this.#setWaiting(false)
    this.#sink.onOver()
  }

  #setWaiting(waiting: boolean): void {
    if ((this.#waiting !== undefined) === waiting) return
    if (waiting) void this.#watchWaiting()
    else {
      this.#waiting?.abort()
      this.#waiting = undefined
    }
    this.#sink.onWaiting(waiting)
  }

  async #watchWaiting(): Promise<void> {
    const { clock, stalledMs } = this.#sink
    const waiting = new AbortController()
    this.#waiting = waiting
    for (let before = Number.POSITIVE_INFINITY; this.#source.writableLength < before; ) {
      before = this.#source.writableLength
      await clock.sleep(stalledMs, { signal: waiting.signal }).catch(() => {})
      if (waiting.signal.aborted) return
    }
    const why = `The stream was given up: nothing of it was taken for ${stalledMs / 1000} s`
    this.#fail(new VirError('OPERATION_TIMEOUT', why, { domain: 'STREAMS' }))
  }
}
