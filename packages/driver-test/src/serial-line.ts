import { Duplex } from 'node:stream'
import { VirError } from '@covirt/core'

/**
 * The serial line of a simulated guest. The guest echoes what it is sent, as a terminal does, for as long as
 * it takes notice.
 */
export class SerialLine {
  readonly #responds: () => boolean
  #open: Duplex | undefined

  constructor(responds: () => boolean) {
    this.#responds = responds
  }

  /** What the guest writes; lost where nobody reads, as on a real line. */
  print(text: string): void {
    this.#open?.push(text)
  }

  /** `OPERATION_FAILED` where somebody else has it open, unless `force` takes it from them. */
  open(name: string, force: boolean): Duplex {
    if (this.#open && !force) {
      throw new VirError('OPERATION_FAILED', `The console of domain '${name}' is in use`, {
        domain: 'TEST',
        hint: 'Take it from the other user with force',
      })
    }
    this.hangUp()
    const stream: Duplex = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => {
        if (this.#responds()) stream.push(chunk)
        done()
      },
      final: (done) => {
        this.#free(stream)
        stream.push(null)
        done()
      },
      destroy: (error, done) => {
        this.#free(stream)
        done(error)
      },
    })
    this.#open = stream
    return stream
  }

  /** Ends the stream of whoever has the line open. */
  hangUp(): void {
    const stream = this.#open
    this.#open = undefined
    stream?.push(null)
    stream?.end()
  }

  #free(stream: Duplex): void {
    if (this.#open === stream) this.#open = undefined
  }
}
