import { type AskCredentials, type Clock, VirError } from '@covirt/core'
import type { RemoteTarget } from './remote-target.js'
import { Session, type SessionOptions } from './session.js'
import { connectTo } from './transports/connect.js'

/** How long it may take to reach the peer and to be let in, besides what is asked of a person. */
const connectTimeoutMs = 30_000

/** Reaches the peer and is let in, within bounded time; it begins anew once name and password are told. */
export async function reachPeer(target: RemoteTarget, options: SessionOptions): Promise<Session> {
  const patience = new Patience(options.clock)
  const signal = AbortSignal.any([options.signal, patience.over])
  const credentials = options.credentials && patience.without(options.credentials)
  patience.begin()
  try {
    return await Session.open(await connectTo(target, signal), target, { ...options, credentials, signal })
  } catch (error) {
    if (!patience.over.aborted) throw error
    const message = `The peer has not answered within ${connectTimeoutMs / 1000} s`
    throw new VirError('NO_CONNECT', message, { domain: 'RPC', cause: error })
  } finally {
    patience.end()
  }
}

/** How long we wait for the peer. */
class Patience {
  readonly #clock: Clock
  readonly #late = new AbortController()
  #waiting = new AbortController()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Fires when it is over. */
  get over(): AbortSignal {
    return this.#late.signal
  }

  begin(): void {
    this.#waiting = new AbortController()
    this.#clock.sleep(connectTimeoutMs, { signal: this.#waiting.signal }).then(
      () => this.#late.abort(),
      () => {},
    )
  }

  end(): void {
    this.#waiting.abort()
  }

  /** Asks as `ask` does, and waits for no peer meanwhile. */
  without(ask: AskCredentials): AskCredentials {
    return async (request, options) => {
      this.end()
      const answer = await ask(request, options)
      this.begin()
      return answer
    }
  }
}
