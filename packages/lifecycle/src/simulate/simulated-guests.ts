import type { CallOptions, Clock, DomainRef, Driver, Unsubscribe } from '@covirt/core'
import { notYet } from '../probe/probe.js'
import type { ProbeIo } from '../probe/probe-io.js'
import type { HostConditions } from '../run/host-conditions.js'

/** What probes find of guests that are simulated: nothing until a guest is ready, everything from then on. */
export class SimulatedGuests implements ProbeIo {
  readonly #clock: Clock
  readonly #readyAfterMs = new Map<string, number>()
  readonly #readyAt = new Map<string, number>()
  readonly #byAddress = new Map<string, string>()
  readonly #unsubscribe: Unsubscribe

  constructor(driver: Driver, clock: Clock) {
    this.#clock = clock
    this.#unsubscribe = driver.subscribe((event) => {
      if (event.type !== 'lifecycle') return
      const { uuid } = event.domain
      if (event.event === 'started')
        this.#readyAt.set(uuid, clock.now() + (this.#readyAfterMs.get(uuid) ?? 0))
      if (event.event === 'stopped') this.#readyAt.delete(uuid)
    })
  }

  close(): void {
    this.#unsubscribe()
  }

  /** How long after its start a guest is ready. */
  readyAfter({ uuid, name }: DomainRef, ms: number): void {
    this.#readyAfterMs.set(uuid, ms)
    this.#byAddress.set(name, uuid)
  }

  async connect(host: string, _port: number, _options: CallOptions): Promise<void> {
    this.#requireReady(this.#byAddress.get(host) ?? host, host)
  }

  async httpStatus(url: string, _options: CallOptions): Promise<number> {
    const { hostname } = new URL(url)
    this.#requireReady(this.#byAddress.get(hostname) ?? hostname, hostname)
    return 200
  }

  /** A guest's address is its name. */
  async addresses({ uuid, name }: DomainRef, _options: CallOptions): Promise<readonly string[]> {
    return this.#isReady(uuid) ? [name] : []
  }

  async initListens({ uuid }: DomainRef, _options: CallOptions): Promise<boolean> {
    return this.#isReady(uuid)
  }

  async notified({ uuid, name }: DomainRef, _options: CallOptions): Promise<void> {
    this.#requireReady(uuid, name)
  }

  #isReady(uuid: string): boolean {
    return (this.#readyAt.get(uuid) ?? Number.POSITIVE_INFINITY) <= this.#clock.now()
  }

  #requireReady(uuid: string, name: string): void {
    if (!this.#isReady(uuid)) throw notYet(`'${name}' is not ready yet`)
  }
}

/** A host that has everything but what is in `missing`. */
export function simulatedConditions(missing: readonly string[]): HostConditions {
  const there = async (name: string) => !missing.includes(name)
  return { mount: there, network: there, pool: there }
}
