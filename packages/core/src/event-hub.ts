import { EventEmitter } from 'eventemitter3'
import type { Unsubscribe } from './driver.js'
import { messageOf } from './errors.js'
import type { Logger } from './logger.js'

/** Hands events to listeners, one after another and in order; a listener that throws harms no other. */
export class EventHub<E> {
  readonly #emitter = new EventEmitter<{ event: [E] }>()
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Each subscription is one of its own, even of the same listener. */
  subscribe(listener: (event: E) => void): Unsubscribe {
    const guarded = (event: E) => {
      const failed = (error: unknown) =>
        this.#logger.error('An event listener threw', { error: messageOf(error), event })
      try {
        // An async function fits where a listener is expected; it is not waited for.
        const result: unknown = listener(event)
        if (result instanceof Promise) result.catch(failed)
      } catch (error) {
        failed(error)
      }
    }
    this.#emitter.on('event', guarded)
    return () => void this.#emitter.off('event', guarded)
  }

  /** Returns after every listener has been called. */
  emit(event: E): void {
    this.#emitter.emit('event', event)
  }

  /** Ends all subscriptions. */
  clear(): void {
    this.#emitter.removeAllListeners()
  }
}
