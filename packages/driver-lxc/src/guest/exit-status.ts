import type { Clock } from '@covirt/core'
import type { StateRecord } from '../native.js'

/** The monitor tells how init ended before it ends itself; its word may be on its way for a moment. */
const patienceMs = 500
const stepMs = 2

/** How a container's init ended, as its monitor tells it. Records come in order, and each boot has its own. */
export class ExitStatus {
  #status: number | undefined
  #last: number | undefined

  hear(record: StateRecord): void {
    if (record.type === 'exit') {
      this.#status = record.status
    } else if (record.state === 'RUNNING') {
      this.#last = this.#status
      this.#status = undefined
    } else if (record.state === 'ABORTING') {
      // A boot that failed: what counts is how the one before ended.
      this.#status ??= this.#last
    }
  }

  /** As wait(2) tells it; `undefined` where it is not told soon, or once `isPointless`. */
  async told(clock: Clock, isPointless: () => boolean): Promise<number | undefined> {
    const isMissing = () => this.#status === undefined && !isPointless()
    for (let waitedMs = 0; isMissing() && waitedMs < patienceMs; waitedMs += stepMs) await clock.sleep(stepMs)
    return this.#status
  }
}
