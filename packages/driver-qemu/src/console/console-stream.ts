import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { Clock } from '@covirt/core'

/** How long a guest may take to read what was written before the end of a stream. */
const drainMs = 1000

/**
 * One opening of a character device: raw bytes both ways over the device's socket. It ends when QEMU closes
 * the socket or when {@link ConsoleStream.revoke} takes it away; ending or destroying it lets go of the
 * device, and `freed` is called before `close` is emitted.
 */
export class ConsoleStream extends Duplex {
  readonly #socket: Socket
  readonly #clock: Clock
  #freed: (() => void) | undefined

  constructor(socket: Socket, clock: Clock, freed: () => void) {
    super({ allowHalfOpen: false })
    this.#socket = socket
    this.#clock = clock
    this.#freed = freed
    socket.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) socket.pause()
    })
    socket.on('end', () => this.push(null))
    socket.on('close', () => this.revoke())
    // A reset by a QEMU that has died is an end like any other.
    socket.on('error', () => this.revoke())
  }

  /** Takes the device away from the holder of this stream: the stream ends, what was not read yet still comes. */
  revoke(): void {
    this.#free()
    if (!this.readableEnded && !this.destroyed) this.push(null)
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.#socket.destroyed) callback()
    else this.#socket.write(chunk, () => callback())
  }

  override _final(callback: (error?: Error | null) => void): void {
    // Closed at once, QEMU would drop what the guest has not taken yet; it closes when it has read all.
    const done = new AbortController()
    const finish = () => {
      this.revoke()
      callback()
      done.abort()
    }
    if (this.#socket.destroyed) finish()
    else {
      this.#socket.once('close', finish)
      this.#socket.end()
      this.#clock.sleep(drainMs, { signal: done.signal }).then(
        () => this.#socket.destroy(),
        () => {},
      )
    }
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#free()
    callback(error)
  }

  #free(): void {
    this.#socket.destroy()
    this.#freed?.()
    this.#freed = undefined
  }
}
