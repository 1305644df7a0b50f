import type { DriverEvent, Unsubscribe } from '@covirt/core'

/** A name that says all of an event but its domain: `started/booted`, `reboot`, `agent/connected`. */
export function eventName(event: DriverEvent): string {
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
  readonly matches: (event: DriverEvent) => boolean
  readonly resolve: (event: DriverEvent) => void
}

/** All events of a driver, as they came. */
export class EventLog {
  readonly #events: DriverEvent[] = []
  readonly #waiters = new Set<Waiter>()
  #unsubscribe: Unsubscribe = () => {}

  /** Listens, from now on, to this driver instead of the one before. */
  follow(driver: { subscribe(listener: (event: DriverEvent) => void): Unsubscribe }): void {
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

  get all(): readonly DriverEvent[] {
    return this.#events
  }

  /**
   * The names of the events so far, of one domain where one is given. Without those of agents, which come
   * when the guest likes.
   */
  names(domain?: { readonly uuid: string }): string[] {
    return this.#events.filter((event) => event.type !== 'agent' && isAbout(event, domain)).map(eventName)
  }

  /** Whom each event so far was about: the names of the domains. */
  domains(): string[] {
    return this.#events.flatMap((event) => (event.type === 'resync' ? [] : [event.domain.name]))
  }

  /** Forgets what has come so far, but for what agents said: they come when the guest likes. */
  clear(): void {
    this.#events.splice(0, Number.POSITIVE_INFINITY, ...this.#events.filter(({ type }) => type === 'agent'))
  }

  /** The first event of this name that the log holds, or the next one to come. */
  async seen(name: string, domain?: { readonly uuid: string }): Promise<DriverEvent> {
    const matches = (event: DriverEvent) => eventName(event) === name && isAbout(event, domain)
    const found = this.#events.find(matches)
    return found ?? new Promise((resolve) => this.#waiters.add({ matches, resolve }))
  }
}

function isAbout(event: DriverEvent, domain: { readonly uuid: string } | undefined): boolean {
  return domain === undefined || (event.type !== 'resync' && event.domain.uuid === domain.uuid)
}
