import type { Duplex } from 'node:stream'
import { messageOf, VirError } from '@covirt/core'
import { type Frame, FrameDecoder } from './frame.js'
import { malformed } from './xdr/index.js'

/** What a channel tells its owner. */
export interface ChannelHandlers {
  /** A packet has come. What this throws closes the channel. */
  readonly onFrame: (frame: Frame) => void
  /** Called once. `reason` is absent where either end has closed in order. */
  readonly onClose: (reason: VirError | undefined) => void
  /** What was to be sent has gone out, after {@link Channel.send} had answered false. */
  readonly onDrain?: () => void
}

/** How a channel is used. */
export interface ChannelOptions {
  /** Of one packet without its length word. Default: what the protocol allows. */
  readonly maxFrameBytes?: number | undefined
  /** Sends a file descriptor with one byte beside it (SCM_RIGHTS, unix(7)) over the same socket. */
  readonly sendDescriptor?: ((descriptor: number) => Promise<void>) | undefined
}

/** Packets over any stream of bytes in both directions: a unix socket, TCP, TLS, the pipes of a program. */
export class Channel {
  readonly #duplex: Duplex
  readonly #handlers: ChannelHandlers
  readonly #options: ChannelOptions
  readonly #decoder: FrameDecoder
  /** What waits for descriptors to be sent: nothing may come between a packet and its descriptors. */
  #held: Buffer[] | undefined
  #heldBytes = 0
  #lane: Promise<void> = Promise.resolve()
  #flushing = false
  #paused = false
  #closed = false

  constructor(duplex: Duplex, handlers: ChannelHandlers, options: ChannelOptions = {}) {
    this.#duplex = duplex
    this.#handlers = handlers
    this.#options = options
    this.#decoder = new FrameDecoder(options.maxFrameBytes)
    duplex.on('data', (chunk: Buffer) => {
      // It may go on sending while what was sent to it goes out.
      if (this.#closed) return
      this.#decoder.push(chunk)
      this.#deliver()
    })
    duplex.on('drain', () => handlers.onDrain?.())
    duplex.on('error', (error) => this.destroy(lost(error)))
    duplex.on('end', () =>
      this.destroy(this.#decoder.bufferedBytes > 0 ? malformed('the connection ends within it') : undefined),
    )
    duplex.on('close', () => this.destroy())
  }

  get closed(): boolean {
    return this.#closed
  }

  get paused(): boolean {
    return this.#paused
  }

  /** Bounds what is received from now on: one packet without its length word. */
  set maxFrameBytes(bytes: number) {
    this.#decoder.maxBytes = bytes
  }

  /** Whether file descriptors can be sent. */
  get sendsDescriptors(): boolean {
    return this.#options.sendDescriptor !== undefined
  }

  /** How much waits to be taken by the other end. */
  get queuedBytes(): number {
    return this.#duplex.writableLength + this.#heldBytes
  }

  /** Received bytes that have not become packets: all of a packet but its end, or what came while paused. */
  get bufferedBytes(): number {
    return this.#decoder.bufferedBytes
  }

  /**
   * Sends a packet, whole and in order. False where the other end does not keep up: `onDrain` tells when it has.
   * Nothing happens where the channel is closed.
   */
  send(packet: Buffer): boolean {
    if (this.#closed) return false
    if (this.#held) {
      this.#held.push(packet)
      this.#heldBytes += packet.length
      return false
    }
    // What is sent in one turn of the event loop goes out in one system call.
    if (!this.#flushing) {
      this.#flushing = true
      this.#duplex.cork()
      setImmediate(() => {
        this.#flushing = false
        this.#duplex.uncork()
      })
    }
    return this.#duplex.write(packet)
  }

  /** Sends a packet, then `descriptors`, with nothing between them. The descriptors stay open here. */
  async sendWithDescriptors(packet: Buffer, descriptors: readonly number[]): Promise<void> {
    const sent = this.#lane.then(() => this.#sendWithDescriptors(packet, descriptors))
    this.#lane = sent.catch((error) => this.destroy(lost(error)))
    await sent
  }

  /** Takes no packets any more until resumed. The other end notices once the socket is full. */
  pause(): void {
    this.#paused = true
    this.#duplex.pause()
  }

  resume(): void {
    if (!this.#paused || this.#closed) return
    this.#paused = false
    this.#deliver()
    if (!this.#paused && !this.#closed) this.#duplex.resume()
  }

  /** Closes in order: what was sent goes out first. */
  end(): void {
    if (this.#closed) return
    this.#finish(undefined)
    this.#duplex.end(() => this.#duplex.destroy())
    // Nothing more is taken, but the end of the other side must be seen.
    this.#duplex.resume()
  }

  /** Closes at once. */
  destroy(reason?: VirError): void {
    this.#duplex.destroy()
    this.#finish(reason)
  }

  #finish(reason: VirError | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#held = undefined
    this.#heldBytes = 0
    this.#handlers.onClose(reason)
  }

  #deliver(): void {
    try {
      while (!this.#paused && !this.#closed) {
        const frame = this.#decoder.next()
        if (!frame) return
        this.#handlers.onFrame(frame)
      }
    } catch (error) {
      this.destroy(error instanceof VirError ? error : lost(error))
    }
  }

  async #sendWithDescriptors(packet: Buffer, descriptors: readonly number[]): Promise<void> {
    const { sendDescriptor } = this.#options
    if (!sendDescriptor)
      throw new VirError('NO_SUPPORT', 'File descriptors cannot be sent here', { domain: 'RPC' })
    if (this.#closed) throw lost('it was closed')
    const held: Buffer[] = []
    this.#held = held
    await new Promise<void>((resolve, reject) => {
      this.#duplex.write(packet, (error) => (error ? reject(error) : resolve()))
      if (this.#flushing) this.#duplex.uncork()
    })
    for (const descriptor of descriptors) await sendDescriptor(descriptor)
    if (this.#held !== held) return
    this.#held = undefined
    this.#heldBytes = 0
    for (const each of held) this.send(each)
  }
}

function lost(cause: unknown): VirError {
  return new VirError('RPC', `The connection was lost: ${messageOf(cause)}`, { domain: 'RPC', cause })
}
