import { type DomainRef, type Driver, isVirError, type Logger, messageOf } from '@covirt/core'

/** Domains that go down with the client that has started them. */
export class Autodestroy {
  readonly #domains: DomainRef[] = []

  add(domain: DomainRef): void {
    this.#domains.push(domain)
  }

  /** Ends them, but for those that have been off and were started by somebody else since. Never rejects. */
  async run(driver: Driver, logger: Logger): Promise<void> {
    const ended = this.#domains.splice(0).map(async (domain) => {
      try {
        const { id } = await driver.lookupDomain({ uuid: domain.uuid })
        if (id === domain.id) await driver.destroyDomain(domain)
      } catch (error) {
        if (isVirError(error, 'NO_DOMAIN') || isVirError(error, 'OPERATION_INVALID')) return
        logger.warn('A domain could not be ended with its client', {
          domain: domain.name,
          error: messageOf(error),
        })
      }
    })
    await Promise.all(ended)
  }
}
