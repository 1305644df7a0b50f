import { abortError, type CallOptions, throwIfAborted } from './abort.js'

/** Where time comes from, so that it can be virtual in tests and simulations. */
export interface Clock {
  /** Wall-clock time, in milliseconds since 1970. */
  now(): number
  /** Resolves `ms` milliseconds from now, at the earliest in a later turn; rejects when `signal` fires. */
  sleep(ms: number, options?: CallOptions): Promise<void>
}

/** Real time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, options) => sleepWith(ms, options?.signal, startTimer),
}

function startTimer(ms: number, wake: () => void): () => void {
  const timer = setTimeout(wake, ms)
  return () => clearTimeout(timer)
}

function sleepWith(
  ms: number,
  signal: AbortSignal | undefined,
  start: (ms: number, wake: () => void) => () => void,
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    throwIfAborted(signal)
    const cancel = start(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    const onAbort = () => {
      cancel()
      reject(abortError(signal as AbortSignal))
    }
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

interface Sleeper {
  readonly at: number
  readonly order: number
  readonly wake: () => void
}

/** Virtual time: it stands still until it is advanced, and sleepers wake in the order of their times. */
export class FakeClock implements Clock {
  #nowMs: number
  #order = 0
  readonly #sleepers = new Set<Sleeper>()

  constructor(startMs = 0) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  /** How many calls are asleep. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  sleep(ms: number, options?: CallOptions): Promise<void> {
    return sleepWith(ms, options?.signal, (delayMs, wake) => {
      const sleeper = { at: this.#nowMs + Math.max(0, delayMs), order: this.#order++, wake }
      this.#sleepers.add(sleeper)
      return () => this.#sleepers.delete(sleeper)
    })
  }

  /**
   * Lets `ms` milliseconds pass: wakes each sleeper at its time, and lets what it wakes run (and sleep
   * again) before time goes on.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms
    await settle()
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#nowMs = next.at
      this.#sleepers.delete(next)
      next.wake()
      await settle()
    }
    this.#nowMs = end
  }

  #next(end: number): Sleeper | undefined {
    let best: Sleeper | undefined
    for (const sleeper of this.#sleepers) {
      if (sleeper.at > end) continue
      if (!best || sleeper.at < best.at || (sleeper.at === best.at && sleeper.order < best.order))
        best = sleeper
    }
    return best
  }
}

/** Promise chains of any length that need no I/O run to their end within one turn of the event loop. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
