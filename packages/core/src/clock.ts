import { abortError, type CallOptions, throwIfAborted } from './abort.js'

/** Where time comes from, so that it can be virtual in tests and simulations. */
export interface Clock {
  /** Wall-clock time, in milliseconds since 1970. */
  now(): number
  /**
   * Resolves `ms` milliseconds from now, at the earliest in a later turn; rejects when `signal` fires. `Infinity`:
   * never resolves.
   */
  sleep(ms: number, options?: CallOptions): Promise<void>
  /**
   * Calls `act` `ms` milliseconds from now, at the earliest in a later turn, unless what it returns is called before: for
   * what is mostly called off, which costs a sleep an error. `Infinity`: never.
   */
  after(ms: number, act: () => void): () => void
}

/** Real time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, options) => sleepWith(ms, options?.signal, startTimer),
  after: startTimer,
}

/** What a timer can wait at most: told to wait longer, it fires at once. */
const longestTimerMs = 2 ** 31 - 1

function startTimer(ms: number, wake: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>
  const wait = (leftMs: number) => {
    timer =
      leftMs > longestTimerMs
        ? setTimeout(() => wait(leftMs - longestTimerMs), longestTimerMs)
        : setTimeout(wake, leftMs)
  }
  wait(ms)
  return () => clearTimeout(timer)
}

function sleepWith(
  ms: number,
  signal: AbortSignal | undefined,
  start: (ms: number, wake: () => void) => () => void,
): Promise<void> {
  if (!signal) return new Promise<void>((resolve) => start(ms, resolve))
  return new Promise<void>((resolve, reject) => {
    throwIfAborted(signal)
    const cancel = start(ms, () => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
    const onAbort = () => {
      cancel()
      reject(abortError(signal))
    }
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

interface Sleeper {
  readonly at: number
  readonly order: number
  /** `undefined` where it was called off. */
  wake: (() => void) | undefined
}

/** Virtual time: it stands still until it is advanced, and sleepers wake in the order of their times. */
export class FakeClock implements Clock {
  #nowMs: number
  #order = 0
  #sleeping = 0
  /** All of them and some that were cancelled, as a binary heap: the next to wake comes first. */
  readonly #heap: Sleeper[] = []

  constructor(startMs = 0) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  /** How many calls are asleep. */
  get sleeping(): number {
    return this.#sleeping
  }

  sleep(ms: number, options?: CallOptions): Promise<void> {
    return sleepWith(ms, options?.signal, (delayMs, wake) => this.after(delayMs, wake))
  }

  after(ms: number, act: () => void): () => void {
    const sleeper: Sleeper = { at: this.#nowMs + Math.max(0, ms), order: this.#order++, wake: act }
    this.#sleeping += 1
    this.#push(sleeper)
    return () => void this.#take(sleeper)
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
      this.#take(next)?.()
      await settle()
    }
    this.#nowMs = end
  }

  /** The next to wake by `end`, out of the heap. */
  #next(end: number): Sleeper | undefined {
    for (let first = this.#heap[0]; first && first.at <= end; first = this.#heap[0]) {
      this.#pop()
      if (first.wake) return first
    }
    return undefined
  }

  /** What a sleeper was to do, which it does not do any more. */
  #take(sleeper: Sleeper): (() => void) | undefined {
    const { wake } = sleeper
    if (wake) this.#sleeping -= 1
    sleeper.wake = undefined
    return wake
  }

  #push(sleeper: Sleeper): void {
    const heap = this.#heap
    let at = heap.length
    for (let up = (at - 1) >> 1; at > 0 && before(sleeper, heap[up]); up = (at - 1) >> 1) {
      heap[at] = heap[up] as Sleeper
      at = up
    }
    heap[at] = sleeper
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (let down = 1; down < heap.length; down = 2 * at + 1) {
      if (heap[down + 1] !== undefined && before(heap[down + 1] as Sleeper, heap[down])) down += 1
      if (!before(heap[down] as Sleeper, last)) break
      heap[at] = heap[down] as Sleeper
      at = down
    }
    heap[at] = last
  }
}

function before(a: Sleeper, b: Sleeper | undefined): boolean {
  return b !== undefined && (a.at < b.at || (a.at === b.at && a.order < b.order))
}

/** Promise chains of any length that need no I/O run to their end within one turn of the event loop. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
