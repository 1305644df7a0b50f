/** Lets one task at a time have each key, in the order of the calls. A task may need several keys at once. */
export class KeyedQueue {
  readonly #last = new Map<string, Promise<void>>()

  /** Runs `task` once every earlier one with any of `keys` has settled. */
  run<T>(keys: readonly string[], task: () => Promise<T>): Promise<T> {
    const earlier = keys.map((key) => this.#last.get(key))
    const result = Promise.all(earlier).then(task)
    const settled: Promise<void> = result.then(
      () => this.#release(keys, settled),
      () => this.#release(keys, settled),
    )
    for (const key of keys) this.#last.set(key, settled)
    return result
  }

  #release(keys: readonly string[], settled: Promise<void>): void {
    for (const key of keys) if (this.#last.get(key) === settled) this.#last.delete(key)
  }
}
