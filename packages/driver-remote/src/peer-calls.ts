import type { Duplex } from 'node:stream'
import type { CallOptions } from '@covirt/core'
import type { Procedure } from '@covirt/protocol'
import type { ReconnectingLink } from './reconnecting-link.js'
import type { RpcCallOptions } from './rpc-client.js'

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

  /** Calls a procedure that a stream goes with. */
  async openStream<A, R>(procedure: Procedure<A, R>, args: A, options: CallOptions = {}): Promise<Duplex> {
    try {
      const session = this.#link.session ?? (await this.#link.wait(options))
      return await session.rpc.openStream(procedure, args, this.#bounds(options))
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
