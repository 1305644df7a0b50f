import { VirError, withoutStack } from './errors.js'

/** What every asynchronous call of covirt takes last. */
export interface CallOptions {
  /** Cancels the call. What it had done by then is undone; it rejects with `OPERATION_ABORTED`. */
  readonly signal?: AbortSignal | undefined
}

/**
 * The error a call cancelled by `signal` rejects with; the signal's reason is its cause. It has no stack: where a signal
 * was heard says nothing, and taking it costs more than all else of a cancellation.
 */
export function abortError(signal: AbortSignal): VirError {
  return withoutStack(
    () => new VirError('OPERATION_ABORTED', 'The operation was cancelled', { cause: signal.reason }),
  )
}

/** Throws {@link abortError} if `signal` has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal)
}

/**
 * Settles as `promise` does, or rejects with {@link abortError} as soon as `signal` fires. The work behind
 * `promise` is not stopped by this; a later rejection of it is swallowed.
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(abortError(signal))
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** A signal that fires when any of `signals` does; absent ones are ignored. `undefined` if none is left. */
export function anySignal(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const present = signals.filter((signal) => signal !== undefined)
  return present.length < 2 ? present[0] : AbortSignal.any(present)
}
