import { type DomainKey, type DomainRef, type Driver, isVirError, VirError } from '@covirt/core'

/**
 * Knows which of several drivers has a domain, by asking them once. What it has learnt is forgotten when the
 * domain may have gone, and then asked again.
 */
export class Routing {
  readonly #drivers: readonly Driver[]
  readonly #known = new Map<string, Promise<Driver>>()

  constructor(drivers: readonly Driver[]) {
    this.#drivers = drivers
  }

  /**
   * Calls the driver that has `domain`; `NO_DOMAIN` where none has. Calls for one domain reach its driver in
   * the order in which they were made, because all wait for the same promise.
   */
  async call<T>(domain: DomainRef, action: (driver: Driver) => Promise<T>): Promise<T> {
    const driver = await this.#locate(domain)
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
    return found.find((answer) => answer !== undefined)
  }

  /** The next call for this domain asks again who has it. */
  forget(uuid: string): void {
    this.#known.delete(uuid)
  }

  #locate(domain: DomainRef): Promise<Driver> {
    const known = this.#known.get(domain.uuid)
    if (known) return known
    const located = this.#ask(domain)
    this.#known.set(domain.uuid, located)
    located.catch(() => this.#known.get(domain.uuid) === located && this.forget(domain.uuid))
    return located
  }

  async #ask({ uuid, name }: DomainRef): Promise<Driver> {
    const found = await this.find({ uuid })
    if (found) return found.driver
    throw new VirError('NO_DOMAIN', `There is no domain '${name}' with uuid ${uuid}`, {
      domain: 'DOM',
      hint: "'covirt list --all' shows the domains that there are",
    })
  }
}
