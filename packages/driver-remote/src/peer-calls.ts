import type { Duplex } from 'node:stream'
import type { CallOptions } from '@covirt/core'
import type { Procedure } from '@covirt/protocol'
import type { ReconnectingLink } from './reconnecting-link.js'
import type { RpcCallOptions } from './rpc-client.js'
import type { RpcStreamOptions } from './rpc-stream.js'

/** Calls to the peer, over whichever connection stands. */
export class PeerCalls {
  readonly #link: ReconnectingLink
  readonly #timeoutMs: number

  constructor(link: ReconnectingLink, timeoutMs: number) {
    this.#link = link
    this.#timeoutMs = timeoutMs
  }

  /**
   * Calls a procedure. While the peer is away it waits for its return, for a bounded time; what was sent once is
   * never sent again.
   */
  async call<A, R>(procedure: Procedure<A, R>, args: A, options: CallOptions = {}): Promise<R> {
    try {
      const session = this.#link.session ?? (await this.#link.wait(options))
      return await session.rpc.call(procedure, args, this.#bounds(options))
    } catch (error) {
      throw fromHere(error)
    }
  }

  /** Calls a procedure that a stream of bytes goes with. */
  async openStream<A, R>(procedure: Procedure<A, R>, args: A, options: CallOptions = {}): Promise<Duplex> {
    return (await this.openBytes(procedure, args, options)).stream
  }

  /** As {@link openStream}, with what the procedure answers. */
  openBytes<A, R>(
    procedure: Procedure<A, R>,
    args: A,
    options: CallOptions = {},
  ): Promise<{ readonly stream: Duplex; readonly result: R }> {
    return this.#open(procedure, args, { signal: options.signal })
  }

  /** Calls a procedure that a stream of packets goes with: each is read as one chunk, and written as one. */
  openPackets<A, R>(
    procedure: Procedure<A, R>,
    args: A,
    options: CallOptions = {},
  ): Promise<{ readonly stream: Duplex; readonly result: R }> {
    return this.#open(procedure, args, { signal: options.signal, packets: true })
  }

  async #open<A, R>(
    procedure: Procedure<A, R>,
    args: A,
    options: RpcCallOptions & RpcStreamOptions,
  ): Promise<{ readonly stream: Duplex; readonly result: R }> {
    try {
      const session = this.#link.session ?? (await this.#link.wait(options))
      return await session.rpc.openStream(procedure, args, { ...options, timeoutMs: this.#timeoutMs })
    } catch (error) {
      throw fromHere(error)
    }
  }

  /** As {@link call}, for what may take any time, tells how far it is and undoes what is cancelled. */
  async callLong<A, R>(
    procedure: Procedure<A, R>,
    args: A,
    { signal, onProgress }: Pick<RpcCallOptions, 'signal' | 'onProgress'>,
  ): Promise<R> {
    try {
      const session = this.#link.session ?? (await this.#link.wait({ signal }))
      return await session.rpc.call(procedure, args, { signal, onProgress, undoes: true })
    } catch (error) {
      throw fromHere(error)
    }
  }

  #bounds({ signal }: CallOptions): RpcCallOptions | undefined {
    return signal || this.#timeoutMs > 0 ? { signal, timeoutMs: this.#timeoutMs } : undefined
  }
}

/** The error with the stack of who called: its own would lead to the socket that it came from. */
function fromHere(error: unknown): unknown {
  if (error instanceof Error) Error.captureStackTrace(error, fromHere)
  return error
}
