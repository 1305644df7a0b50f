import { Duplex } from 'node:stream'
import { type ConsoleOptions, VirError } from '@covirt/core'

/**
 * The serial line of a simulated guest. The guest echoes what it is sent, as a terminal does, for as long as
 * it takes notice.
 */
export class SerialLine {
  readonly #responds: () => boolean
  /** Of one alone, or of those who share the line. */
  readonly #open = new Set<Duplex>()
  #isShared = false
  #history = ''

  constructor(responds: () => boolean) {
    this.#responds = responds
  }

  /** What the guest writes. */
  print(text: string): void {
    this.#show(Buffer.from(text))
  }

  /** `OPERATION_FAILED` where somebody else has it open and does not share it, unless `force` takes it from them. */
  open(name: string, { force = false, shared = false, historyBytes = 0 }: ConsoleOptions): Duplex {
    const isTaken = this.#open.size > 0 && !(shared && this.#isShared)
    if (isTaken && !force) {
      throw new VirError('OPERATION_FAILED', `The console of domain '${name}' is in use`, {
        domain: 'TEST',
        hint: 'Take it from the other user with force',
      })
    }
    if (isTaken) this.hangUp()
    this.#isShared = shared
    const stream: Duplex = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => {
        if (this.#responds()) this.#show(chunk)
        done()
      },
      final: (done) => {
        this.#open.delete(stream)
        stream.push(null)
        done()
      },
      destroy: (error, done) => {
        this.#open.delete(stream)
        done(error)
      },
    })
    this.#open.add(stream)
    if (shared && historyBytes > 0) stream.push(Buffer.from(this.#history.slice(-historyBytes), 'latin1'))
    return stream
  }

  /** Ends the streams of all who have the line open. */
  hangUp(): void {
    const streams = [...this.#open]
    this.#open.clear()
    for (const stream of streams) {
      stream.push(null)
      stream.end()
    }
  }

  #show(chunk: Buffer): void {
    this.#history = (this.#history + chunk.toString('latin1')).slice(-maxHistoryBytes)
    for (const stream of this.#open) stream.push(chunk)
  }
}

const maxHistoryBytes = 65_536
