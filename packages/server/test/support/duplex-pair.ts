import { Duplex } from 'node:stream'

/** Two ends of one connection in memory, as two sockets are: what is written to one is read from the other. */
export function duplexPair(): readonly [Duplex, Duplex] {
  const left = new End()
  const right = new End()
  left.other = right
  right.other = left
  return [left, right]
}

class End extends Duplex {
  other: End | undefined
  #taken: (() => void) | undefined

  override _read(): void {
    const taken = this.#taken
    this.#taken = undefined
    taken?.()
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const { other } = this
    if (!other || other.destroyed || other.push(chunk)) done()
    else other.#taken = done
  }

  override _final(done: () => void): void {
    this.other?.push(null)
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { other } = this
    this.other = undefined
    if (other && !other.destroyed) setImmediate(() => other.push(null))
    done(error)
  }
}
