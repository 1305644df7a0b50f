import type { DriverEvent } from './domain-event.js'
import type { Unsubscribe } from './driver.js'

/** How a stream of events is read. */
export interface EventStreamOptions {
  /** Ends the stream: the loop over it finishes without an error. */
  readonly signal?: AbortSignal | undefined
  /** How many events wait for a slow reader before they are dropped. Default 1000. */
  readonly limit?: number | undefined
}

/**
 * Events as an async iterable. It listens from the moment it is made, so nothing is missed before the loop
 * begins. When its reader is slower than events come, those waiting are dropped and a `resync` stands in
 * their place.
 */
export class EventStream implements AsyncIterableIterator<DriverEvent> {
  #waiting: DriverEvent[] = []
  #dropped = 0
  #ended = false
  #sleepers: (() => void)[] = []
  readonly #limit: number
  readonly #signal: AbortSignal | undefined
  readonly #unsubscribe: Unsubscribe
  readonly #onEnd: () => void
  readonly #onAbort = () => this.end()

  constructor(
    subscribe: (listener: (event: DriverEvent) => void) => Unsubscribe,
    { signal, limit = 1000 }: EventStreamOptions = {},
    onEnd: () => void = () => {},
  ) {
    if (!Number.isInteger(limit) || limit < 1) throw new TypeError('limit must be a positive integer')
    this.#limit = limit
    this.#signal = signal
    this.#onEnd = onEnd
    this.#unsubscribe = subscribe((event) => this.#push(event))
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (signal?.aborted) this.end()
  }

  #push(event: DriverEvent): void {
    if (this.#waiting.length >= this.#limit) {
      this.#dropped += this.#waiting.length
      this.#waiting = []
    }
    this.#waiting.push(event)
    this.#wake()
  }

  /** Wakes all who wait for an event: one gets it, the others wait again. */
  #wake(): void {
    for (const wake of this.#sleepers.splice(0)) wake()
  }

  /** Stops listening. What waits can still be read; then the stream is over. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#unsubscribe()
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#wake()
    this.#onEnd()
  }

  /** Whether it has stopped listening. */
  get ended(): boolean {
    return this.#ended
  }

  async next(): Promise<IteratorResult<DriverEvent, undefined>> {
    while (!this.#ended && this.#waiting.length === 0) {
      await new Promise<void>((resolve) => {
        this.#sleepers.push(resolve)
      })
    }
    if (this.#dropped > 0) {
      const dropped = this.#dropped
      this.#dropped = 0
      return { done: false, value: { type: 'resync', reason: 'slow-reader', dropped } }
    }
    const value = this.#waiting.shift()
    return value ? { done: false, value } : { done: true, value: undefined }
  }

  async return(): Promise<IteratorResult<DriverEvent, undefined>> {
    this.#waiting = []
    this.#dropped = 0
    this.end()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
