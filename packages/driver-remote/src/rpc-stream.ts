import { Duplex } from 'node:stream'
import { VirError } from '@covirt/core'
import { decodeValue, errorRecord, type Frame, frameStatuses, limits } from '@covirt/protocol'

/** The bytes of one packet of a stream. */
const packetBytes = limits.streamFrameBytes - 28

/** How much may wait for a reader. The protocol cannot slow one stream down without all else on the connection. */
const maxWaitingBytes = 16 * 1024 * 1024

/** How a stream is read. */
export interface RpcStreamOptions {
  /** Each packet is one chunk, which no other is joined to. */
  readonly packets?: boolean | undefined
}

/** What a stream needs of its connection. */
export interface RpcStreamParts {
  /** Sends a packet of the stream; false where the other end does not keep up. */
  readonly send: (status: number, payload?: Uint8Array) => boolean
  /** Resolves once more can be sent. */
  readonly drained: () => Promise<void>
  /** Called once: the other end knows of its end, or the connection is gone. */
  readonly onOver: () => void
}

/**
 * A stream that goes with a call: the packets after its reply. Ending it says so to the other end and waits for its
 * word; destroying it aborts it there.
 */
export class RpcStream extends Duplex {
  readonly #parts: RpcStreamParts
  /** Whether the other end has been told that we are done, and whether it has said that it knows. */
  #told = false
  #over = false
  #onOver: ((error?: VirError) => void)[] = []

  constructor(parts: RpcStreamParts, { packets = false }: RpcStreamOptions = {}) {
    super({ readableObjectMode: packets })
    this.#parts = parts
    // It may fail together with the reply, before whoever has called can listen; `errored` tells them then.
    this.on('error', () => {})
  }

  /** A packet of this stream has come. */
  receive({ status, payload }: Frame): void {
    if (status === frameStatuses.error) {
      const error = payload.length > 0 ? decodeValue<VirError>(errorRecord, payload) : undefined
      this.#end(error ?? new VirError('OPERATION_FAILED', 'The stream was aborted', { domain: 'STREAMS' }))
    } else if (status === frameStatuses.ok) this.#end()
    else if (payload.length === 0) this.#finish()
    else if (!this.destroyed) this.#take(payload)
  }

  /** The connection is gone. */
  lost(error: VirError): void {
    this.#end(error)
  }

  #take(payload: Buffer): void {
    this.push(Buffer.from(payload))
    if (this.readableLength <= maxWaitingBytes) return
    this.destroy(
      new VirError('OPERATION_FAILED', `The stream's reader is ${maxWaitingBytes} bytes behind`, {
        domain: 'STREAMS',
      }),
    )
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    let flowing = true
    for (let at = 0; at < chunk.length; at += packetBytes)
      flowing = this.#parts.send(frameStatuses.more, chunk.subarray(at, at + packetBytes))
    if (flowing || this.#over) done()
    else this.#parts.drained().then(() => done(), done)
  }

  override _final(done: (error?: Error) => void): void {
    this.#finish()
    this.#whenOver(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#told && !this.#over) this.#tell(frameStatuses.error)
    this.#whenOver(() => done(error))
  }

  /** Either end is done: the other end hears it once, and answers. */
  #finish(): void {
    if (!this.#told && !this.#over) this.#tell(frameStatuses.ok)
  }

  #tell(status: number): void {
    this.#told = true
    this.#parts.send(status)
  }

  /** Calls `act` once it is over, with what it has failed with. */
  #whenOver(act: (error?: VirError) => void): void {
    if (this.#over) act()
    else this.#onOver.push(act)
  }

  #end(error?: VirError): void {
    if (this.#over) return
    this.#over = true
    this.#parts.onOver()
    for (const act of this.#onOver.splice(0)) act(error)
    if (this.destroyed) return
    if (error) {
      this.destroy(error)
      return
    }
    this.push(null)
    if (!this.writableEnded) this.end()
  }
}
