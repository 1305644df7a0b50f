import { type CallOptions, type Clock, VirError } from '@covirt/core'
import { Scope } from './scope.js'

/**
 * Settles as `work` does; after `ms` it is cancelled through its signal, and this rejects with `OPERATION_TIMEOUT`
 * once it has given up.
 */
export async function within<T>(
  clock: Clock,
  ms: number,
  { signal }: CallOptions,
  work: (options: { readonly signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const scope = new Scope(signal)
  let over = false
  const callOff = clock.after(ms, () => {
    over = true
    scope.abort('its time is over')
  })
  try {
    return await work({ signal: scope.signal })
  } catch (error) {
    if (!over || signal?.aborted) throw error
    throw new VirError('OPERATION_TIMEOUT', `It took longer than ${ms / 1000} s`, { cause: error })
  } finally {
    callOff()
    scope[Symbol.dispose]()
  }
}
