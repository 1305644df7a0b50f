import {
  type CallOptions,
  type DomainEvent,
  type DomainRef,
  type EventHub,
  throwIfAborted,
  type UndefineOptions,
} from '@covirt/core'
import { prepareWritten } from './definition.js'
import { storedText } from './document-texts.js'
import type { DomainJobs } from './domain-jobs.js'
import { checkDomainName } from './domain-name.js'
import type { DomainStore } from './domain-store.js'
import type { DomainTable } from './domain-table.js'
import type { GuestKeeper } from './guest-keeper.js'
import type { Hypervisor } from './hypervisor.js'
import type { LocalSnapshots } from './local-snapshots.js'
import { requireInactive, requireOtherName, requireOwn, requirePersistent } from './refusals.js'
import type { SavedStates } from './saved-states.js'

/** What {@link DomainDefinitions} works with. */
export interface DomainDefinitionsParts {
  readonly hypervisor: Hypervisor
  readonly store: DomainStore
  readonly table: DomainTable
  readonly jobs: DomainJobs
  readonly keeper: GuestKeeper
  readonly events: EventHub<DomainEvent>
  /** Where the hypervisor makes snapshots, and saves guests. */
  readonly snapshots: LocalSnapshots | undefined
  readonly saved: SavedStates | undefined
}

/** The definitions of domains, as `Driver` promises: what is stored, under which name, and whether it starts at boot. */
export class DomainDefinitions {
  readonly #parts: DomainDefinitionsParts

  constructor(parts: DomainDefinitionsParts) {
    this.#parts = parts
  }

  async define(xml: string, options: CallOptions = {}): Promise<DomainRef> {
    throwIfAborted(options.signal)
    const document = prepareWritten(xml, this.#parts.hypervisor)
    await this.#parts.table.whenFree(document)
    const entry = this.#parts.table.reserve(document.uuid, document.name)
    return this.#parts.jobs.run(entry, 'define', options, async ({ signal }) => {
      this.#parts.table.reserve(document.uuid, document.name)
      if (entry.isForeign) await this.#parts.hypervisor.foreign?.checkRedefinition(entry.name, document)
      await this.#parts.store.saveDefinition(entry.name, storedText(document), { signal })
      const detail = entry.definition ? 'updated' : 'added'
      if (entry.isForeign) entry.autostart = false
      entry.isForeign = false
      entry.definition = document
      this.#parts.events.emit({ type: 'lifecycle', domain: entry.ref, event: 'defined', detail })
      return entry.ref
    })
  }

  async undefine(domain: DomainRef, options: UndefineOptions = {}): Promise<void> {
    await this.#parts.jobs.change(domain, 'undefine', options, async (entry) => {
      requirePersistent(entry)
      requireOwn(entry)
      await this.#parts.snapshots?.requireNone(entry)
      if (options.managedSave) await this.#parts.saved?.remove(entry)
      else await this.#parts.saved?.requireNone(entry)
      await this.#parts.store.removeDefinition(entry.name)
      entry.definition = undefined
      entry.autostart = false
      this.#parts.events.emit({ type: 'lifecycle', domain: entry.ref, event: 'undefined', detail: 'removed' })
    })
  }

  async rename(domain: DomainRef, newName: string, options: CallOptions = {}): Promise<DomainRef> {
    checkDomainName(newName)
    return this.#parts.jobs.change(domain, 'rename', options, async (entry, { signal }) => {
      const definition = requirePersistent(entry)
      requireOwn(entry)
      requireInactive(entry)
      requireOtherName(entry, newName)
      const before = entry.ref
      const document = this.#parts.hypervisor.prepare({ ...definition, name: newName })
      await this.#parts.table.rename(entry, newName, async () => {
        throwIfAborted(signal)
        await this.#parts.store.renameDefinition(before.name, newName, storedText(document))
      })
      entry.definition = document
      await this.#parts.keeper.renamePlaces(before, entry)
      this.#parts.events.emit({ type: 'lifecycle', domain: before, event: 'undefined', detail: 'renamed' })
      this.#parts.events.emit({ type: 'lifecycle', domain: entry.ref, event: 'defined', detail: 'renamed' })
      return entry.ref
    })
  }

  async setAutostart(domain: DomainRef, autostart: boolean, options: CallOptions = {}): Promise<void> {
    await this.#parts.jobs.change(domain, 'autostart', options, async (entry) => {
      requirePersistent(entry)
      requireOwn(entry)
      await this.#parts.store.setAutostart(entry.name, autostart)
      entry.autostart = autostart
    })
  }
}
