/** Gives active domains their ids: small, increasing, unique among all who share the allocator. */
export class IdAllocator {
  readonly #taken = new Set<number>()
  #last = 0

  allocate(): number {
    do this.#last += 1
    while (this.#taken.has(this.#last))
    this.#taken.add(this.#last)
    return this.#last
  }

  /** Takes `id` if it is free, or another one: for domains that had an id before. */
  reallocate(id: number): number {
    if (!Number.isSafeInteger(id) || id < 1 || this.#taken.has(id)) return this.allocate()
    this.#taken.add(id)
    this.#last = Math.max(this.#last, id)
    return id
  }

  release(id: number): void {
    this.#taken.delete(id)
  }
}
