import { type Binding, binding } from './binding.js'
import type { Container, Options } from './container.js'
import { LxcError, toLxcError } from './lxc-error.js'

/** How long a monitor may take for an answer that it has at hand. */
const ANSWER_MS = 10_000

type Call<T> = (binding: Binding, path: string, name: string) => Promise<T>

interface Limits {
  /** Calls of one lane wait for each other. Default: the lane of the short questions. */
  readonly lane?: string
  /** Default {@link ANSWER_MS}; `undefined`: wait for as long as it takes. */
  readonly timeoutMs?: number | undefined
}

/** The last call of each container and lane: at most one of them is with the monitor at a time. */
const lanes = new Map<string, { readonly settled: Promise<void>; overdue: boolean }>()

/**
 * Makes `call` when the one before it on this container is done. liblxc has no timeout and cannot be
 * interrupted: after `timeoutMs` the promise rejects with `ETIMEDOUT` while the call stays with the monitor,
 * and until that answers or ends, further calls on this container are refused at once.
 */
export async function monitorCall<T>(
  operation: string,
  container: Container,
  call: Call<T>,
  options: Options = {},
  limits: Limits = {},
): Promise<T> {
  const { path, name } = container
  const key = JSON.stringify([path, name, limits.lane ?? ''])
  const timeoutMs = 'timeoutMs' in limits ? limits.timeoutMs : ANSWER_MS
  const before = lanes.get(key)
  options.signal?.throwIfAborted()
  if (before?.overdue) throw silence(operation, name)
  const made = (before?.settled ?? Promise.resolve()).then(() => call(binding(), path, name))
  const entry = { settled: made.then(noop, noop), overdue: false }
  lanes.set(key, entry)
  entry.settled.then(() => {
    if (lanes.get(key) === entry) lanes.delete(key)
  })
  try {
    return await bounded(made, timeoutMs, options.signal, () => {
      entry.overdue = true
      return silence(operation, name)
    })
  } catch (error) {
    if (options.signal?.aborted) throw error
    throw toLxcError(error, operation, name)
  }
}

function silence(operation: string, name: string): LxcError {
  return new LxcError(
    `${operation} of container ${name} failed: its monitor does not answer (is the process "[lxc monitor]" of ` +
      'this container stopped?)',
    { operation, container: name, code: 'ETIMEDOUT' },
  )
}

function noop(): void {}

/** Settles as `promise` does, unless the signal fires or the time is over before. */
function bounded<T>(
  promise: Promise<T>,
  timeoutMs: number | undefined,
  signal: AbortSignal | undefined,
  late: () => Error,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal?.reason)
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => reject(late()), timeoutMs)
    signal?.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    })
  })
}
