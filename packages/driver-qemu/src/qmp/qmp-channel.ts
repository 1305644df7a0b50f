import type { Socket } from 'node:net'
import { abortable, type CallOptions, messageOf, throwIfAborted } from '@covirt/core'
import { LineDecoder } from './line-decoder.js'
import { QmpClosedError, QmpError } from './qmp-error.js'
import { type JsonObject, parseQmpMessage, type QmpEvent, type QmpMessage } from './qmp-message.js'

/** The longest answers known (`query-qmp-schema`) have a quarter of a mebibyte. */
const maxLineBytes = 8 * 1024 * 1024

/** The number under which the greeting is awaited; commands begin with 1. */
const greeting = 0

/** What a {@link QmpChannel} tells its owner. */
export interface QmpListener {
  /** In the order in which QEMU sent them. */
  event(event: QmpEvent): void
  /** It has ended, by QEMU, by us or by nonsense on the wire; told once, and last. */
  closed(error: Error): void
}

interface Pending {
  readonly command: string
  resolve(value: unknown): void
  reject(error: Error): void
}

/**
 * A conversation with one QEMU over QMP. Commands may overlap; QEMU obeys them in the order in which they
 * were sent. A command that the caller gives up is obeyed nevertheless; its answer is dropped.
 */
export class QmpChannel {
  readonly #socket: Socket
  #listener: QmpListener | undefined
  /** What happened before somebody listened. */
  #early: ((listener: QmpListener) => void)[] = []
  readonly #decoder = new LineDecoder(maxLineBytes)
  readonly #pending = new Map<number, Pending>()
  #closed: Error | undefined
  #lastId = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', (error) => this.#close(error))
    socket.on('close', () => this.#close(new Error('QEMU closed it')))
  }

  /**
   * Greets QEMU on a connected socket and resolves once commands can be sent. The socket is the channel's
   * from now on; on rejection it is closed.
   */
  static async open(socket: Socket, options: CallOptions = {}): Promise<QmpChannel> {
    const channel = new QmpChannel(socket)
    try {
      await abortable(channel.#expect(greeting, 'greeting'), options.signal)
      await channel.execute('qmp_capabilities', {}, options)
      return channel
    } catch (error) {
      channel.close()
      throw error
    }
  }

  /**
   * Sends a command and resolves to what it returns. Rejects with {@link QmpError} where QEMU refuses it, with
   * {@link QmpClosedError} where the channel goes first, and with `OPERATION_ABORTED`.
   */
  async execute(command: string, args: JsonObject = {}, { signal }: CallOptions = {}): Promise<unknown> {
    throwIfAborted(signal)
    if (this.#closed) throw this.#closed
    const id = ++this.#lastId
    const answer = this.#expect(id, command)
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`)
    return abortable(answer, signal)
  }

  /** Whether QEMU owes an answer. */
  get waits(): boolean {
    return this.#pending.size > 0
  }

  /** Who is told of events from now on, and at once of those that have come already. */
  listen(listener: QmpListener): void {
    this.#listener = listener
    for (const tell of this.#early.splice(0)) tell(listener)
  }

  /** Ends the conversation, not the guest. */
  close(): void {
    this.#close(new Error('it was closed here'))
  }

  #expect(id: number, command: string): Promise<unknown> {
    return new Promise((resolve, reject) => this.#pending.set(id, { command, resolve, reject }))
  }

  #take(id: number | undefined): Pending | undefined {
    const pending = id === undefined ? undefined : this.#pending.get(id)
    if (pending) this.#pending.delete(id as number)
    return pending
  }

  #receive(chunk: Buffer): void {
    try {
      for (const line of this.#decoder.push(chunk)) {
        if (this.#closed) return
        if (line !== '') this.#handle(parseQmpMessage(line))
      }
    } catch (error) {
      this.#close(new Error(`QEMU spoke no QMP: ${messageOf(error)}`))
    }
  }

  #handle(message: QmpMessage): void {
    switch (message.kind) {
      case 'greeting':
        this.#take(greeting)?.resolve(message.version)
        break
      case 'event':
        this.#tell((listener) => listener.event(message.event))
        break
      case 'return':
        this.#take(message.id)?.resolve(message.value)
        break
      case 'error': {
        const pending = this.#take(message.id)
        pending?.reject(new QmpError(pending.command, message.class, message.text))
      }
    }
  }

  #close(cause: Error): void {
    if (this.#closed) return
    this.#closed = new QmpClosedError(`The connection to QEMU is gone: ${cause.message}`, { cause })
    this.#socket.destroy()
    for (const pending of this.#pending.values()) pending.reject(this.#closed)
    this.#pending.clear()
    const error = this.#closed
    this.#tell((listener) => listener.closed(error))
  }

  #tell(what: (listener: QmpListener) => void): void {
    if (this.#listener) what(this.#listener)
    else this.#early.push(what)
  }
}
