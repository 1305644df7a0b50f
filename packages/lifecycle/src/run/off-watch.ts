import {
  abortError,
  type CallOptions,
  type Clock,
  type Driver,
  isVirError,
  throwIfAborted,
  type Unsubscribe,
} from '@covirt/core'

/** How a domain went off, in the words of libvirt's event details. */
export type OffDetail = string

interface Watched {
  /** Those that wait for it. */
  readonly waiting: Set<(detail: OffDetail) => void>
  detail: OffDetail | undefined
}

/** How often the state of what has been silent is asked for: an event may have been lost on its way. */
const pollMs = 5000

/** Watches domains go off. It listens from its making on, so that nothing that is asked for later is missed. */
export class OffWatch {
  readonly #driver: Driver
  readonly #clock: Clock
  readonly #watched = new Map<string, Watched>()
  readonly #unsubscribe: Unsubscribe

  constructor(driver: Driver, clock: Clock) {
    this.#driver = driver
    this.#clock = clock
    this.#unsubscribe = driver.subscribe((event) => {
      if (event.type === 'lifecycle' && event.event === 'stopped') this.#tell(event.domain.uuid, event.detail)
    })
  }

  close(): void {
    this.#unsubscribe()
  }

  /** Begins to watch a domain; what it did before does not count. */
  watch(uuid: string): void {
    this.#watched.set(uuid, { waiting: new Set(), detail: undefined })
  }

  /** How the domain went off, if it has. */
  detailOf(uuid: string): OffDetail | undefined {
    return this.#watched.get(uuid)?.detail
  }

  /** Resolves as soon as the domain is off, to how it went; or to `undefined` after `ms`. */
  async wait(uuid: string, ms: number, { signal }: CallOptions): Promise<OffDetail | undefined> {
    const watched = this.#watched.get(uuid)
    if (!watched) return undefined
    const until = this.#clock.now() + ms
    for (;;) {
      const leftMs = until - this.#clock.now()
      const detail = watched.detail ?? (await this.#race(watched, Math.min(leftMs, pollMs), signal))
      if (detail !== undefined || leftMs <= pollMs) return detail
      await this.look(uuid, { signal })
    }
  }

  /** Asks whether the domain is off. A driver that does not answer has not said so. */
  async look(uuid: string, { signal }: CallOptions): Promise<OffDetail | undefined> {
    try {
      const { state, reason } = await this.#driver.getDomainState({ uuid, name: '' }, { signal })
      if (state === 'shutoff') this.#tell(uuid, reason)
    } catch (error) {
      if (isVirError(error, 'NO_DOMAIN')) this.#tell(uuid, 'unknown')
    }
    return this.detailOf(uuid)
  }

  #race({ waiting }: Watched, ms: number, signal: AbortSignal | undefined): Promise<OffDetail | undefined> {
    return new Promise((resolve, reject) => {
      throwIfAborted(signal)
      if (ms <= 0) return resolve(undefined)
      const end = (detail: OffDetail | undefined) => {
        letGo()
        resolve(detail)
      }
      const onAbort = () => {
        letGo()
        reject(abortError(signal as AbortSignal))
      }
      const callOff = this.#clock.after(ms, () => end(undefined))
      const letGo = () => {
        callOff()
        waiting.delete(end)
        signal?.removeEventListener('abort', onAbort)
      }
      waiting.add(end)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  #tell(uuid: string, detail: OffDetail): void {
    const watched = this.#watched.get(uuid)
    if (!watched || watched.detail !== undefined) return
    watched.detail = detail
    for (const tell of watched.waiting) tell(detail)
  }
}
