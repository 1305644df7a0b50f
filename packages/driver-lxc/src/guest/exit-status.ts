import { type Clock, isVirError } from '@covirt/core'
import type { StateRecord } from '../native.js'

/** The monitor tells how init ended before it ends itself; its word may be on its way for a moment. */
const patienceMs = 500

/** How a container's init ended, as its monitor tells it. Records come in order, and each boot has its own. */
export class ExitStatus {
  #status: number | undefined
  #last: number | undefined
  #listeners: (() => void)[] = []

  hear(record: StateRecord): void {
    if (record.type === 'exit') {
      this.#status = record.status
      for (const tell of this.#listeners.splice(0)) tell()
    } else if (record.state === 'RUNNING') {
      this.forget()
    } else if (record.state === 'ABORTING') {
      // A boot that failed: what counts is how the one before ended.
      this.#status ??= this.#last
    }
  }

  /** What was told is of the boot before. */
  forget(): void {
    this.#last = this.#status
    this.#status = undefined
  }

  /** As wait(2) tells it; `undefined` where it is not told soon, or once `pointless` fires. */
  async told(clock: Clock, pointless: AbortSignal): Promise<number | undefined> {
    if (this.#status !== undefined || pointless.aborted) return this.#status
    const heard = new AbortController()
    this.#listeners.push(() => heard.abort())
    try {
      await clock.sleep(patienceMs, { signal: AbortSignal.any([heard.signal, pointless]) })
    } catch (error) {
      if (!isVirError(error, 'OPERATION_ABORTED')) throw error
    }
    return this.#status
  }
}
