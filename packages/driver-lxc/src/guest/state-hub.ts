import { removeRunDirectories } from '../host/leftovers.js'
import { type StateRecord, type StateWatch, watchStates } from '../native.js'

type Listener = (record: StateRecord) => void

/** Hands out what the monitors of one lxcpath tell: liblxc allows one reader for all of them. */
export class StateHub {
  readonly #path: string
  readonly #watch: StateWatch
  readonly #listeners = new Map<string, Listener>()

  /** @param onRecord is called with all that any monitor tells */
  constructor(path: string, onRecord: Listener = () => {}) {
    this.#path = path
    this.#watch = watchStates(path, (record) => {
      this.#listeners.get(record.name)?.(record)
      onRecord(record)
    })
    this.#watch.unref()
  }

  /** Calls `listener` with all that the monitor of this container tells, until the returned function is called. */
  subscribe(name: string, listener: Listener): () => void {
    this.#listeners.set(name, listener)
    return () => {
      if (this.#listeners.get(name) === listener) this.#listeners.delete(name)
    }
  }

  async close(): Promise<void> {
    this.#watch.close()
    await removeRunDirectories(this.#path)
  }
}
