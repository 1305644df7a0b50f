import { type CallOptions, type Clock, type DomainRef, messageOf } from '@covirt/core'
import { within } from '../run/within.js'

/** What a hook is told. */
export interface HookContext extends CallOptions {
  readonly domain: Pick<DomainRef, 'uuid' | 'name'>
  /** Its document; empty where it has gone by then. */
  readonly xml: string
}

/** What a hook that comes first may answer: that it shall not be done, and why. */
export interface Veto {
  readonly veto: string
}

/**
 * A user's own code around the life of guests. Each may take `timeoutMs`. A hook that throws or takes too long is
 * logged; only an explicit veto keeps something from being done.
 */
export interface LifecycleHooks {
  /** Default 10,000. */
  readonly timeoutMs?: number | undefined
  onBeforeStart?(context: HookContext): Promise<Veto | undefined> | Veto | undefined
  onStarted?(context: HookContext): Promise<void> | void
  onReady?(context: HookContext): Promise<void> | void
  /** Where the host goes down, its veto is noted and ignored. */
  onBeforeStop?(context: HookContext): Promise<Veto | undefined> | Veto | undefined
  onStopped?(context: HookContext & { readonly how: string }): Promise<void> | void
}

const defaultTimeoutMs = 10_000

/** Runs one hook, if there is one; its failure is told to `onError`, and counts as no objection. */
export async function runHook<R>(
  hooks: LifecycleHooks | undefined,
  clock: Clock,
  signal: AbortSignal | undefined,
  hook: (options: CallOptions) => Promise<R> | R,
  onError: (message: string) => void,
): Promise<R | undefined> {
  if (!hooks) return undefined
  try {
    return await within(clock, hooks.timeoutMs ?? defaultTimeoutMs, { signal }, async (options) => {
      const stopped = new Promise<never>((_, reject) => {
        options.signal.addEventListener('abort', () => reject(options.signal.reason), { once: true })
      })
      stopped.catch(() => {})
      return await Promise.race([hook(options), stopped])
    })
  } catch (error) {
    if (signal?.aborted) throw error
    onError(messageOf(error))
    return undefined
  }
}
