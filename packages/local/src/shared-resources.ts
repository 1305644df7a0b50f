interface Held<T> {
  readonly value: T
  users: number
}

/** Things that a process has once for each key, as long as somebody uses them. */
export class SharedResources<T> {
  readonly #held = new Map<string, Held<T>>()
  readonly #turns = new Map<string, Promise<unknown>>()

  /** The thing for `key`, made by `create` where nobody uses one. Each call asks for one `release`. */
  acquire(key: string, create: () => Promise<T>): Promise<T> {
    return this.#inTurn(key, async () => {
      const held = this.#held.get(key)
      if (held) {
        held.users += 1
        return held.value
      }
      const value = await create()
      this.#held.set(key, { value, users: 1 })
      return value
    })
  }

  /** One user less; `dispose` ends the thing when nobody is left. */
  release(key: string, dispose: (value: T) => Promise<void>): Promise<void> {
    return this.#inTurn(key, async () => {
      const held = this.#held.get(key)
      if (!held) return
      held.users -= 1
      if (held.users > 0) return
      this.#held.delete(key)
      await dispose(held.value)
    })
  }

  #inTurn<R>(key: string, work: () => Promise<R>): Promise<R> {
    const turn = (this.#turns.get(key) ?? Promise.resolve()).then(work, work)
    this.#turns.set(key, turn)
    const leave = () => {
      if (this.#turns.get(key) === turn) this.#turns.delete(key)
    }
    turn.then(leave, leave)
    return turn
  }
}
