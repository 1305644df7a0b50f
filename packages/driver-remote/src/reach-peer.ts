import { VirError } from '@covirt/core'
import type { RemoteTarget } from './remote-target.js'
import { Session, type SessionOptions } from './session.js'
import { connectTo } from './transports/connect.js'

/** How long it may take to reach the peer and to be let in. */
const connectTimeoutMs = 30_000

/** Reaches the peer and is let in, within bounded time. */
export async function reachPeer(target: RemoteTarget, options: SessionOptions): Promise<Session> {
  const over = new AbortController()
  const late = new AbortController()
  const signal = AbortSignal.any([options.signal, late.signal])
  const timer = options.clock.sleep(connectTimeoutMs, { signal: over.signal })
  timer.then(
    () => late.abort(),
    () => {},
  )
  try {
    return await Session.open(await connectTo(target, signal), target, { ...options, signal })
  } catch (error) {
    if (!late.signal.aborted) throw error
    const message = `The peer has not answered within ${connectTimeoutMs / 1000} s`
    throw new VirError('NO_CONNECT', message, { domain: 'RPC', cause: error })
  } finally {
    over.abort()
  }
}
