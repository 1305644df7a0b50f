import { abortError, throwIfAborted } from '@covirt/core'

interface Waiting {
  readonly rank: number
  readonly enter: () => void
}

/** A number of places, which those that wait get in the order of their ranks. */
export class Slots {
  #free: number
  readonly #waiting: Waiting[] = []

  constructor(count: number) {
    this.#free = count
  }

  /** Resolves, with what gives the place back, once there is one. Rejects where `signal` fires before. */
  take(rank: number, signal: AbortSignal | undefined): Promise<() => void> {
    return new Promise((resolve, reject) => {
      throwIfAborted(signal)
      const grant = () => resolve(this.#once())
      if (this.#free > 0) {
        this.#free -= 1
        return grant()
      }
      const waiting: Waiting = {
        rank,
        enter: () => {
          signal?.removeEventListener('abort', onAbort)
          grant()
        },
      }
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        reject(abortError(signal as AbortSignal))
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.splice(this.#placeOf(rank), 0, waiting)
    })
  }

  #placeOf(rank: number): number {
    let [low, high] = [0, this.#waiting.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#waiting[middle] as Waiting).rank <= rank) low = middle + 1
      else high = middle
    }
    return low
  }

  #once(): () => void {
    let given = false
    return () => {
      if (given) return
      given = true
      const next = this.#waiting.shift()
      if (next) next.enter()
      else this.#free += 1
    }
  }
}
