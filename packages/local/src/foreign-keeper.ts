import { messageOf } from '@covirt/core'
import { formatDomain } from '@covirt/xml'
import type { DomainEntry } from './domain-entry.js'
import { checkDomainName } from './domain-name.js'
import type { DomainTable } from './domain-table.js'
import type { GuestKeeper, GuestKeeperParts } from './guest-keeper.js'
import type { ForeignDomain, ForeignDomains } from './hypervisor.js'

/** Shows the domains that other programs have defined, and follows what those do with them. */
export class ForeignKeeper {
  readonly #foreign: ForeignDomains
  readonly #parts: GuestKeeperParts
  readonly #table: DomainTable
  readonly #keeper: GuestKeeper
  readonly #unsubscribe: () => void
  #looks: Promise<void> = Promise.resolve()
  #closed = false

  constructor(foreign: ForeignDomains, parts: GuestKeeperParts, table: DomainTable, keeper: GuestKeeper) {
    this.#foreign = foreign
    this.#parts = parts
    this.#table = table
    this.#keeper = keeper
    // It may have been started again before its end had been dealt with.
    this.#unsubscribe = parts.events.subscribe((event) => {
      if (event.type === 'lifecycle' && event.event === 'stopped') this.#lookAt(event.domain.name)
    })
  }

  /** Once the driver's own domains have been loaded: adds the others, those that run with their guests. */
  async open(): Promise<void> {
    const { logger } = this.#parts
    try {
      await this.#foreign.watch((name) => this.#lookAt(name))
    } catch (error) {
      logger.error('What other programs do with their domains is not noticed', { error: messageOf(error) })
    }
    try {
      for (const found of await this.#foreign.list()) this.#lookAt(found.name, { quiet: true })
      await this.#looks
    } catch (error) {
      logger.error('The domains of other programs cannot be listed', { error: messageOf(error) })
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#unsubscribe()
    await this.#looks
  }

  /** One look after the other, so that the last is the one that counts. */
  #lookAt(name: string, options: { readonly quiet: boolean } = { quiet: false }): void {
    this.#looks = this.#looks.then(async () => {
      try {
        if (!this.#closed) await this.#look(name, options)
      } catch (error) {
        this.#parts.logger.warn('A domain of another program cannot be used', {
          domain: name,
          error: messageOf(error),
        })
      }
    })
  }

  async #look(name: string, { quiet }: { readonly quiet: boolean }): Promise<void> {
    const known = this.#table.named(name)
    if (known && !known.isForeign) return
    const found = await this.#foreign.find(name)
    if (!found) return known && this.#forget(known)
    const entry = known ?? this.#reserve(found)
    await entry.jobs.runNext('look', async () => {
      this.#update(entry, found, quiet)
      if (found.active && !entry.active && !entry.lost) await this.#keeper.meet(entry, { quiet })
    })
  }

  #reserve(found: ForeignDomain): DomainEntry {
    checkDomainName(found.name)
    return this.#table.reserve(found.document.uuid, found.name)
  }

  #update(entry: DomainEntry, { document: native, autostart }: ForeignDomain, quiet: boolean): void {
    const document = this.#parts.hypervisor.prepare(native)
    const before = entry.definition
    const isSame = before !== undefined && formatDomain(before) === formatDomain(document)
    entry.isForeign = true
    entry.autostart = autostart
    if (isSame) return
    entry.definition = document
    if (quiet) return
    const detail = before ? 'updated' : 'added'
    this.#parts.events.emit({ type: 'lifecycle', domain: entry.ref, event: 'defined', detail })
  }

  async #forget(entry: DomainEntry): Promise<void> {
    await entry.jobs.runNext('look', async () => {
      if (!entry.isForeign || !entry.definition) return
      entry.definition = undefined
      entry.autostart = false
      this.#parts.events.emit({ type: 'lifecycle', domain: entry.ref, event: 'undefined', detail: 'removed' })
    })
  }
}
