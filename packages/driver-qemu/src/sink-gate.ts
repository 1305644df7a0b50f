import type { GuestSink } from '@covirt/local'

/**
 * Holds back what a guest has to tell until its launch or adoption has resolved, as the contract wants it, and
 * for ever once it is released.
 */
export class SinkGate {
  readonly #sink: GuestSink
  #held: ((sink: GuestSink) => void)[] | undefined = []
  #closed = false

  constructor(sink: GuestSink) {
    this.#sink = sink
  }

  tell(what: (sink: GuestSink) => void): void {
    if (this.#closed) return
    if (this.#held) this.#held.push(what)
    else what(this.#sink)
  }

  /** To be called last in a launch: a promise's own continuations run before the next turn of the event loop. */
  openSoon(): void {
    setImmediate(() => {
      const held = this.#held ?? []
      this.#held = undefined
      for (const what of held) this.tell(what)
    })
  }

  close(): void {
    this.#closed = true
  }
}
