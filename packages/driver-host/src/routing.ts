import { type DomainKey, type DomainRef, type Driver, isVirError, VirError } from '@covirt/core'

/**
 * Knows which of several drivers has a domain, by asking them once. What it has learnt is forgotten when the
 * domain may have gone, and then asked again.
 *
 * Calls for one domain reach its driver in the order in which they were made: at once where the driver is known,
 * and otherwise after all that wait for the same answer.
 */
export class Routing {
  readonly #drivers: readonly Driver[]
  readonly #known = new Map<string, Driver>()
  readonly #asked = new Map<string, Promise<Driver>>()
  #closed = false

  constructor(drivers: readonly Driver[]) {
    this.#drivers = drivers
  }

  /** Calls the driver that has `domain`; `NO_DOMAIN` where none has. */
  async call<T>(domain: DomainRef, action: (driver: Driver) => Promise<T>): Promise<T> {
    const driver = this.#known.get(domain.uuid) ?? (await this.#locate(domain))
    try {
      return await action(driver)
    } catch (error) {
      if (!isVirError(error, 'NO_DOMAIN')) throw error
      this.forget(domain.uuid)
      const successor = await this.#locate(domain).catch(() => driver)
      if (successor === driver) throw error
      return action(successor)
    }
  }

  /** The domain with this key and the driver that has it; `undefined` where none has. */
  async find(key: DomainKey): Promise<{ readonly driver: Driver; readonly domain: DomainRef } | undefined> {
    const answers = this.#drivers.map(async (driver) => {
      try {
        return { driver, domain: await driver.lookupDomain(key) }
      } catch (error) {
        if (isVirError(error, 'NO_DOMAIN')) return undefined
        throw error
      }
    })
    const found = await Promise.all(answers)
    this.#checkOpen()
    return found.find((answer) => answer !== undefined)
  }

  /** The next call for this domain asks again who has it. */
  forget(uuid: string): void {
    this.#known.delete(uuid)
  }

  /** Lets no call through any more that has not reached its driver yet: it ends with `OPERATION_ABORTED`. */
  close(): void {
    this.#closed = true
  }

  #locate(domain: DomainRef): Promise<Driver> {
    const asked = this.#asked.get(domain.uuid)
    if (asked) return asked
    const asking = this.#ask(domain)
    this.#asked.set(domain.uuid, asking)
    // Registered before any caller waits, so that it is known from before the first of them goes on.
    asking.then(
      (driver) => {
        this.#asked.delete(domain.uuid)
        this.#known.set(domain.uuid, driver)
      },
      () => this.#asked.delete(domain.uuid),
    )
    return asking
  }

  async #ask({ uuid, name }: DomainRef): Promise<Driver> {
    const found = await this.find({ uuid })
    if (found) return found.driver
    throw new VirError('NO_DOMAIN', `There is no domain '${name}' with uuid ${uuid}`, {
      domain: 'DOM',
      hint: "'covirt list --all' shows the domains that there are",
    })
  }

  #checkOpen(): void {
    if (this.#closed) throw new VirError('OPERATION_ABORTED', 'The connection was closed meanwhile')
  }
}
