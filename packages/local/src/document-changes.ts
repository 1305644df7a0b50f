import { type CallOptions, type ChangeOptions, type DomainRef, messageOf } from '@covirt/core'
import type { DomainXml } from '@covirt/xml'
import { storedText } from './document-texts.js'
import type { ActiveGuest, DomainEntry } from './domain-entry.js'
import type { DomainJobs } from './domain-jobs.js'
import type { GuestKeeper, GuestKeeperParts } from './guest-keeper.js'
import { requireActive, requireOwn, requirePersistent } from './refusals.js'

/** What {@link DocumentChanges} works with. */
export interface DocumentChangesParts extends Pick<GuestKeeperParts, 'store' | 'logger'> {
  readonly keeper: GuestKeeper
  readonly jobs: DomainJobs
}

/** Those of a domain's documents that are to be changed. */
export interface ChosenDocuments {
  readonly active: ActiveGuest | undefined
  readonly definition: DomainXml | undefined
}

/** What is to become of them. */
export interface DocumentChange {
  /** The definition as it is to be. */
  readonly definition: DomainXml | undefined
  /** Changes the guest, and its document in the {@link ActiveGuest}. On rejection nothing of that is done. */
  readonly live: ((options: CallOptions) => Promise<void>) | undefined
}

/** Which documents are meant: `OPERATION_INVALID` where one of them is not there. */
export function chooseDocuments(entry: DomainEntry, { live, config }: ChangeOptions): ChosenDocuments {
  const active = live || (!config && entry.active) ? requireActive(entry) : undefined
  const definition = config || !active ? requirePersistent(entry) : undefined
  return { active, definition }
}

/** Changes a guest, a definition, or both: all or nothing. */
export class DocumentChanges {
  readonly #parts: DocumentChangesParts

  constructor(parts: DocumentChangesParts) {
    this.#parts = parts
  }

  /** As a job of the domain. `plan` refuses what cannot be, before anything is changed. */
  async run(
    domain: DomainRef,
    name: string,
    { live, config, signal }: ChangeOptions,
    plan: (chosen: ChosenDocuments, entry: DomainEntry) => DocumentChange,
  ): Promise<void> {
    const { jobs, keeper, store } = this.#parts
    await jobs.change(domain, name, { signal }, async (entry, running) => {
      const chosen = chooseDocuments(entry, { live, config })
      if (chosen.definition) requireOwn(entry)
      const { definition, live: changeGuest } = plan(chosen, entry)
      const before = entry.definition
      // Of the two a definition is by far the easier to take back.
      if (definition) await store.saveDefinition(entry.name, storedText(definition), running)
      try {
        await changeGuest?.(running)
      } catch (error) {
        if (definition && before) await this.#takeBack(entry, before)
        throw error
      }
      if (definition) entry.definition = definition
      if (changeGuest) await keeper.saveStatus(entry)
    })
  }

  async #takeBack({ name }: DomainEntry, definition: DomainXml): Promise<void> {
    const { store, logger } = this.#parts
    try {
      await store.saveDefinition(name, storedText(definition))
    } catch (error) {
      logger.error('A definition could not be taken back', { domain: name, error: messageOf(error) })
    }
  }
}
