import { Duplex, finished } from 'node:stream'
import { decodeValue, encodeValue, type PipePacket, pipePacket } from '@covirt/protocol'

/** How much of what is written goes into one packet at most, in bytes. */
const maxPacketBytes = 65_536
/** How much waits for a reader before the peer is told to send no more, in bytes. */
const highWaterMark = 262_144

/** Bytes in both directions over a stream of packets, either of which the other end can slow down. */
export class RemotePipe extends Duplex {
  readonly #stream: Duplex
  /** The peer was told to send no more. */
  #holding = false
  /** The peer takes no more for now; called once it does. */
  #held: { readonly wake: (() => void)[] } | undefined

  /** `stream` gives one packet at a time. */
  constructor(stream: Duplex) {
    super({ highWaterMark })
    this.#stream = stream
    stream.on('data', (bytes: Buffer) => this.#receive(bytes))
    stream.on('end', () => {
      this.push(null)
      if (!this.writableEnded) this.end()
    })
    stream.on('error', (error) => this.destroy(error))
    stream.on('close', () => this.#release())
    if (stream.errored) this.destroy(stream.errored)
  }

  /** Tells the guest how big the terminal is. */
  resize(columns: number, rows: number): void {
    this.#tell({ kind: 'resize', columns, rows })
  }

  override _read(): void {
    if (this.#holding) this.#tell({ kind: 'flow' })
    this.#holding = false
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#held) {
      this.#held.wake.push(() => this._write(chunk, _encoding, done))
      return
    }
    let last = 0
    for (; last + maxPacketBytes < chunk.length; last += maxPacketBytes)
      this.#tell({ kind: 'data', data: chunk.subarray(last, last + maxPacketBytes) })
    this.#tell({ kind: 'data', data: chunk.subarray(last) }, done)
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#held) {
      this.#held.wake.push(() => this._final(done))
      return
    }
    // The peer says so when all has arrived, or why it has not.
    if (this.#stream.writable) this.#stream.end(done)
    else done(this.#stream.errored)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stream.destroy()
    finished(this.#stream, () => done(error))
    this.#release()
  }

  #receive(bytes: Buffer): void {
    let packet: PipePacket
    try {
      packet = decodeValue(pipePacket, bytes)
    } catch (error) {
      this.destroy(error as Error)
      return
    }
    if (packet.kind === 'hold') this.#held ??= { wake: [] }
    else if (packet.kind === 'flow') this.#release()
    else if (packet.kind === 'data' && !this.push(packet.data) && !this.#holding) {
      this.#holding = true
      this.#tell({ kind: 'hold' })
    }
  }

  #release(): void {
    const held = this.#held
    this.#held = undefined
    for (const wake of held?.wake ?? []) wake()
  }

  /** What is said to a peer that has ended the stream is not heard. */
  #tell(packet: PipePacket, done: (error?: Error | null) => void = () => {}): void {
    if (!this.#stream.writable) done()
    else this.#stream.write(encodeValue(pipePacket, packet), done)
  }
}
