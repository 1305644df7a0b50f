import { setMaxListeners } from 'node:events'

/**
 * A signal that fires when one of `signals` does or when it is told to, and that lets go of them when it ends. Runners
 * make many: `AbortSignal.any` leaves that to the garbage collector, at ten times the price.
 */
export class Scope implements Disposable {
  readonly #controller = new AbortController()
  readonly #signals: readonly AbortSignal[]
  readonly #onAbort: () => void

  constructor(...signals: readonly (AbortSignal | undefined)[]) {
    this.#signals = signals.filter((signal) => signal !== undefined)
    this.#onAbort = () => this.abort(this.#signals.find(({ aborted }) => aborted)?.reason)
    // Node suspects a leak from eleven listeners on; here each guest has one.
    setMaxListeners(0, this.#controller.signal, ...this.#signals)
    for (const signal of this.#signals) {
      if (signal.aborted) this.abort(signal.reason)
      else signal.addEventListener('abort', this.#onAbort, { once: true })
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason)
  }

  /** Lets go of the signals without firing. */
  [Symbol.dispose](): void {
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#onAbort)
  }

  /** Fires it, for what still runs and is not needed any more. */
  end(): void {
    this[Symbol.dispose]()
    this.abort('it is not needed any more')
  }
}
