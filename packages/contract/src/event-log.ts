import type { DomainEvent, Unsubscribe } from '@covirt/core'

/** A name that says all of an event but its domain: `started/booted`, `reboot`, `agent/connected`. */
export function eventName(event: DomainEvent): string {
  switch (event.type) {
    case 'lifecycle':
      return `${event.event}/${event.detail}`
    case 'agent':
      return `agent/${event.state}`
    default:
      return event.type
  }
}

interface Waiter {
  readonly matches: (event: DomainEvent) => boolean
  readonly resolve: (event: DomainEvent) => void
}

/** All events of a driver, as they came. */
export class EventLog {
  readonly #events: DomainEvent[] = []
  readonly #waiters = new Set<Waiter>()
  #unsubscribe: Unsubscribe = () => {}

  /** Listens, from now on, to this driver instead of the one before. */
  follow(driver: { subscribe(listener: (event: DomainEvent) => void): Unsubscribe }): void {
    this.#unsubscribe()
    this.#unsubscribe = driver.subscribe((event) => {
      this.#events.push(event)
      for (const waiter of this.#waiters) {
        if (!waiter.matches(event)) continue
        this.#waiters.delete(waiter)
        waiter.resolve(event)
      }
    })
  }

  get all(): readonly DomainEvent[] {
    return this.#events
  }

  /**
   * The names of the events so far, of one domain where one is given. Without those of agents, which come
   * when the guest likes.
   */
  names(domain?: { readonly uuid: string }): string[] {
    return this.#events
      .filter((event) => event.type !== 'agent' && (!domain || event.domain.uuid === domain.uuid))
      .map(eventName)
  }

  /** Forgets what has come so far. */
  clear(): void {
    this.#events.length = 0
  }

  /** The first event of this name that the log holds, or the next one to come. */
  async seen(name: string, domain?: { readonly uuid: string }): Promise<DomainEvent> {
    const matches = (event: DomainEvent) =>
      eventName(event) === name && (!domain || event.domain.uuid === domain.uuid)
    const found = this.#events.find(matches)
    return found ?? new Promise((resolve) => this.#waiters.add({ matches, resolve }))
  }
}
