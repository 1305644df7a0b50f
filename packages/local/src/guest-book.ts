import { type DomainState, messageOf } from '@covirt/core'
import { storedText } from './document-texts.js'
import type { ActiveGuest, DomainEntry } from './domain-entry.js'
import type { GuestKeeperParts } from './guest-keeper.js'
import type { GuestPhase, GuestPlaces } from './hypervisor.js'

/** How a guest is gone. */
export interface StopTerms {
  /** Nothing of it is left on the host. */
  readonly isFree: boolean
}

/** Commits what has become of guests and says so, in the order of the contract: state, then event. */
export class GuestBook {
  readonly #parts: GuestKeeperParts

  constructor(parts: GuestKeeperParts) {
    this.#parts = parts
  }

  /** Stores the status of an active domain. A failure is logged: the guest matters more. */
  async saveStatus(entry: DomainEntry): Promise<void> {
    const { active, uuid, name, state } = entry
    if (!active) return
    const { id, startedAt, guest, document, isForeign, shutdown, held } = active
    await this.logged('Storing a status failed', entry, () =>
      this.#parts.store.saveStatus({
        uuid,
        name,
        id,
        state,
        startedAt,
        isForeign,
        record: guest.record,
        definition: storedText(document),
        ...(shutdown && { shutdown: { askedAt: shutdown.askedAt, mode: shutdown.mode } }),
        ...(held && { held }),
      }),
    )
  }

  /** Within a job: the guest runs again, or no longer. */
  async changePhase(
    entry: DomainEntry,
    phase: 'running' | 'paused',
    reason: 'user' | 'unpaused' | 'unknown',
  ): Promise<void> {
    entry.state = stateOfPhase(phase, reason)
    await this.saveStatus(entry)
    if (phase === 'paused') this.emit(entry, { event: 'suspended', detail: 'paused' })
    else this.emit(entry, { event: 'resumed', detail: 'unpaused' })
  }

  /**
   * Commits that the guest is gone, then says so. What it still holds is freed after that, before any other job: a status is
   * there for as long as something of a guest may be.
   */
  async stopped(
    entry: DomainEntry,
    active: ActiveGuest,
    reason: 'shutdown' | 'crashed' | 'destroyed' | 'from-snapshot' | 'saved',
    { isFree }: StopTerms = { isFree: true },
  ): Promise<void> {
    const { ref } = entry
    active.shutdown?.callOff()
    if (isFree) await this.#clear(entry, active)
    this.#parts.ids.release(active.id)
    entry.active = undefined
    entry.state = { state: 'shutoff', reason }
    entry.hasGone = true
    this.#parts.events.emit({ type: 'lifecycle', domain: ref, event: 'stopped', detail: reason })
    if (!isFree) await this.#free(entry, active)
  }

  async #free(entry: DomainEntry, active: ActiveGuest): Promise<void> {
    try {
      await active.guest.kill()
    } catch (error) {
      this.#parts.logger.error('Freeing what a guest held failed', {
        domain: entry.name,
        error: messageOf(error),
      })
      // Its status is what the next process that opens this root clears up by.
      return this.logged('Letting go of a guest failed', entry, () => active.guest.release())
    }
    await this.#clear(entry, active)
  }

  async #clear(entry: DomainEntry, { guest, places }: ActiveGuest): Promise<void> {
    await this.logged('Letting go of a guest failed', entry, () => guest.release())
    await this.forget(entry, places)
  }

  /** Removes what is remembered of one run of a guest. */
  async forget(entry: DomainEntry, places: GuestPlaces): Promise<void> {
    await this.logged('Clearing after a guest failed', entry, () => this.#parts.places.clear(places))
    await this.logged('Removing a status failed', entry, () => this.#parts.store.removeStatus(entry.name))
  }

  /** Says what has become of a guest, once that is committed. */
  emit(
    entry: DomainEntry,
    what:
      | { event: 'started'; detail: 'booted' | 'from-snapshot' | 'restored' }
      | { event: 'suspended'; detail: 'paused' | 'from-snapshot' | 'restored' }
      | { event: 'resumed'; detail: 'unpaused' }
      | { event: 'crashed'; detail: 'panicked' },
  ): void {
    this.#parts.events.emit({ type: 'lifecycle', domain: entry.ref, ...what })
  }

  /** Does what the guest does not depend on: a failure is logged. */
  async logged(message: string, entry: DomainEntry, act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      this.#parts.logger.error(message, { domain: entry.name, error: messageOf(error) })
    }
  }
}

/** The state of a domain whose guest is in this phase. */
export function stateOfPhase(phase: GuestPhase, reason: 'user' | 'unpaused' | 'unknown'): DomainState {
  switch (phase) {
    case 'running':
      return { state: 'running', reason: reason === 'unpaused' ? 'unpaused' : 'unknown' }
    case 'paused':
      return { state: 'paused', reason: reason === 'user' ? 'user' : 'unknown' }
    case 'crashed':
      return { state: 'crashed', reason: 'panicked' }
  }
}
