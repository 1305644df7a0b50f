import { Duplex } from 'node:stream'
import { decodeValue, encodeValue, type PipePacket, pipePacket } from '@covirt/protocol'
import { whenTaken } from './when-taken.js'

/** How much of what comes from the source goes into one packet at most, in bytes. */
const maxPacketBytes = 65_536
/** How much of what has come may wait for the source, from a client that goes on sending when it is told to hold. */
const maxWaitingBytes = 1_048_576

/** What is behind a {@link PipeStream}. */
export type PipeSource = Duplex & {
  readonly resize?: ((columns: number, rows: number) => void) | undefined
}

/** Bytes in both directions as one stream of packets, either of which the other end can slow down. */
export class PipeStream extends Duplex {
  readonly #source: PipeSource
  /** The client does not take what comes from the source. */
  #held = false
  /** The client was told to send no more. */
  #holding = false

  constructor(source: PipeSource) {
    super({ objectMode: true })
    this.#source = source
    source.on('data', (data: Buffer) => this.#send(data))
    source.on('end', () => this.push(null))
    source.on('drain', () => this.#letFlow())
    source.on('error', (error) => this.destroy(error))
    source.on('close', () => {
      if (!source.readableEnded && !this.destroyed) this.push(null)
    })
  }

  override _read(): void {
    if (!this.#held) this.#source.resume()
  }

  override _write(bytes: Buffer, _encoding: string, done: (error?: Error) => void): void {
    let packet: PipePacket
    try {
      packet = decodeValue(pipePacket, bytes)
    } catch (error) {
      done(error as Error)
      return
    }
    const source = this.#source
    switch (packet.kind) {
      case 'data':
        if (source.writable && !source.write(packet.data)) this.#hold()
        break
      case 'hold':
        this.#held = true
        source.pause()
        break
      case 'flow':
        this.#held = false
        source.resume()
        break
      case 'resize':
        this.#resize(packet.columns, packet.rows)
    }
    if (source.writableLength > maxWaitingBytes) whenTaken(source, done)
    else done()
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#source.writable) this.#source.end(done)
    else done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#source.destroy()
    if (this.#source.closed) done(error)
    else this.#source.once('close', () => done(error))
  }

  #send(data: Buffer): void {
    for (let at = 0; at < data.length; at += maxPacketBytes)
      if (!this.#tell({ kind: 'data', data: data.subarray(at, at + maxPacketBytes) })) this.#source.pause()
  }

  #resize(columns: number, rows: number): void {
    if (this.#source.destroyed) return
    try {
      this.#source.resize?.(columns, rows)
    } catch {
      // The terminal has gone, and the end of its stream tells so.
    }
  }

  #hold(): void {
    if (this.#holding) return
    this.#holding = true
    this.#tell({ kind: 'hold' })
  }

  #letFlow(): void {
    if (!this.#holding) return
    this.#holding = false
    this.#tell({ kind: 'flow' })
  }

  #tell(packet: PipePacket): boolean {
    return this.destroyed || this.readableEnded || this.push(encodeValue(pipePacket, packet))
  }
}
