import { messageOf, VirError } from '@covirt/core'
import type { DomainXml } from '@covirt/xml'
import { prepareDefinition } from './definition.js'
import type { DomainEntry } from './domain-entry.js'
import type { DomainStatus, StoredDomain } from './domain-store.js'
import type { DomainTable } from './domain-table.js'
import type { GuestKeeper, GuestKeeperParts } from './guest-keeper.js'

/** Brings back what is stored: definitions, and the guests that earlier processes have left. */
export class DomainLoader {
  readonly #parts: GuestKeeperParts
  readonly #table: DomainTable
  readonly #keeper: GuestKeeper

  constructor(parts: GuestKeeperParts, table: DomainTable, keeper: GuestKeeper) {
    this.#parts = parts
    this.#table = table
    this.#keeper = keeper
  }

  /**
   * Never rejects. What cannot be understood is logged and left alone: a damaged definition keeps its name from
   * being taken, and does not hide a guest that runs.
   */
  async load(stored: StoredDomain): Promise<void> {
    const { name, definition, status } = stored
    const document = definition === undefined ? undefined : this.#read(name, definition)
    if (document) {
      const entry = this.#table.reserve(document.uuid, name)
      entry.definition = document
      entry.autostart = stored.autostart
    }
    if (status) await this.#loadStatus(name, status)
    if (definition !== undefined && !document) {
      this.#table.reserveUnreadable(name, 'it is damaged, or not of this driver')
    }
  }

  async #loadStatus(name: string, status: DomainStatus): Promise<void> {
    const document = this.#read(name, status.definition)
    if (!document) return
    const entry = this.#table.reserve(document.uuid, name)
    entry.isForeign = status.isForeign === true && entry.definition === undefined
    await entry.jobs.runNext('adopt', async () => {
      try {
        await this.#keeper.adopt(entry, status, document)
      } catch (error) {
        this.#loseGuest(entry, status, document, messageOf(error))
      }
    })
  }

  /** Its status and its places are kept: a later process may reach it. */
  #loseGuest(entry: DomainEntry, status: DomainStatus, document: DomainXml, reason: string): void {
    this.#parts.logger.error('A guest that may run cannot be reached', { domain: entry.name, error: reason })
    entry.lost = { status, document, reason }
    entry.state = { state: 'nostate', reason: 'unknown' }
  }

  #read(name: string, xml: string): (DomainXml & { readonly uuid: string }) | undefined {
    try {
      const document = prepareDefinition(xml, this.#parts.hypervisor)
      if (document.name === name) return document
      throw new VirError('XML_ERROR', `It names domain '${document.name}'`)
    } catch (error) {
      this.#parts.logger.error('A stored domain cannot be read and is left alone', {
        domain: name,
        error: messageOf(error),
      })
      return undefined
    }
  }
}
