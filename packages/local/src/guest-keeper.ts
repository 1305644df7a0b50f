import {
  type CallOptions,
  type Clock,
  type DomainEvent,
  type DomainRef,
  type DomainState,
  type EventHub,
  type Logger,
  throwIfAborted,
} from '@covirt/core'
import type { DomainXml } from '@covirt/xml'
import { storedText } from './document-texts.js'
import type { ActiveGuest, DomainEntry, LostGuest } from './domain-entry.js'
import type { DomainStatus, DomainStore } from './domain-store.js'
import { GuestBook, stateOfPhase } from './guest-book.js'
import { GuestReactions } from './guest-reactions.js'
import type { AdoptSpec, Guest, GuestSink, Hypervisor } from './hypervisor.js'
import type { IdAllocator } from './id-allocator.js'
import type { ManagedImage } from './image-place.js'
import type { PlaceKeeper } from './places.js'
import { type SaveTerms, saveGuest, settleHeld } from './save-guest.js'
import { repeatShutdown } from './shutdown-request.js'
import { UndoStack } from './undo-stack.js'

/** What a {@link GuestKeeper} works with. */
export interface GuestKeeperParts {
  readonly hypervisor: Hypervisor
  readonly store: DomainStore
  readonly places: PlaceKeeper
  /** Shared by all drivers of one root. */
  readonly ids: IdAllocator
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventHub<DomainEvent>
}

/** How a guest is launched. */
export interface LaunchTerms extends CallOptions {
  /** Leave it paused. */
  readonly paused: boolean
  /** The domain goes back to a snapshot; `memory` is its name where the guest's memory is in it. */
  readonly snapshot?: { readonly memory: string | undefined } | undefined
  /** It does not boot but goes on from here. */
  readonly restored?:
    | { readonly state: AsyncIterable<Uint8Array>; readonly as: 'running' | 'paused' }
    | undefined
  /** The managed state that is used up, or thrown away, by this launch: it is gone by the time the guest runs. */
  readonly image?: ManagedImage | undefined
}

/**
 * Brings guests up, finds them again, takes them down, and acts on what they do by themselves. All of it
 * within the domain's jobs, and each change in the order of the contract: state, then event.
 */
export class GuestKeeper {
  readonly #parts: GuestKeeperParts
  readonly #book: GuestBook
  readonly #reactions: GuestReactions

  constructor(parts: GuestKeeperParts) {
    this.#parts = parts
    this.#book = new GuestBook(parts)
    this.#reactions = new GuestReactions({
      ...parts,
      book: this.#book,
      launch: (entry, document, options) => this.launch(entry, document, { ...options, paused: false }),
    })
  }

  /** Within a job: launches a guest of `entry`. On rejection nothing of it is left. */
  async launch(
    entry: DomainEntry,
    document: DomainXml,
    { paused: leavePaused, snapshot, restored, image, signal }: LaunchTerms,
  ): Promise<void> {
    const { hypervisor, ids, places: keeper, store, clock, logger } = this.#parts
    const undo = new UndoStack(logger)
    const paused = leavePaused || restored?.as === 'paused'
    const origin = snapshot ? 'from-snapshot' : restored ? 'restored' : 'booted'
    entry.starting = true
    entry.hasGone = false
    try {
      const id = ids.allocate()
      undo.push(() => ids.release(id))
      const startedAt = clock.now()
      const state: DomainState = paused
        ? { state: 'paused', reason: snapshot ? 'from-snapshot' : 'user' }
        : { state: 'running', reason: origin }
      const { uuid, name } = entry
      const { isForeign } = entry
      const definition = storedText(document)
      const status: DomainStatus = { uuid, name, id, state, definition, startedAt, isForeign }
      const places = keeper.of(entry.ref)
      undo.push(() => keeper.clear(places))
      await keeper.prepare(places)
      undo.push(() => store.removeStatus(name))
      await store.saveStatus(status)
      throwIfAborted(signal)
      const link = this.#reactions.link(entry)
      const spec = {
        domain: { uuid, name, id },
        document,
        places,
        sink: link.sink,
        clock,
        logger,
        paused: paused || image !== undefined,
        memory: snapshot?.memory,
        isForeign,
        state: restored?.state,
      }
      const guest = await hypervisor.launch(spec, { signal })
      undo.push(() => guest.release())
      undo.push(() => guest.kill())
      throwIfAborted(signal)
      const launched = { ...status, record: guest.record }
      await store.saveStatus(image ? { ...launched, held: { resumes: !paused } } : launched)
      if (image) {
        await image.setAside()
        undo.push(() => image.putBack())
        // Not to be cancelled: what it is being resumed from is gone once it runs.
        if (!paused) await guest.resume({})
        await this.#book.logged('Removing a used state failed', entry, () => image.dropAside())
        await store.saveStatus({ ...launched, record: guest.record })
      }
      undo.clear()
      link.active = {
        guest,
        id,
        document,
        places,
        startedAt,
        isForeign,
        shutdown: undefined,
        held: undefined,
      }
      entry.active = link.active
      entry.restart = undefined
      entry.state = state
    } catch (error) {
      await undo.run()
      throw error
    } finally {
      entry.starting = false
    }
    this.#book.emit(entry, { event: 'started', detail: origin })
    const stillness = leavePaused ? 'paused' : 'restored'
    if (paused) this.#book.emit(entry, { event: 'suspended', detail: snapshot ? 'from-snapshot' : stillness })
  }

  /** Within a job: finds the guest of `status` again, or clears what is left of it. Rejects where it is not reached. */
  async adopt(entry: DomainEntry, status: DomainStatus, document: DomainXml): Promise<void> {
    const { hypervisor, ids, places: keeper } = this.#parts
    const id = ids.reallocate(status.id)
    const link = this.#reactions.link(entry)
    const spec = this.#adoptSpec(entry, { ...status, id }, document, link.sink)
    const { places } = spec
    let guest: Guest | undefined
    try {
      await keeper.prepare(places)
      guest = await hypervisor.adopt(spec, {})
    } catch (error) {
      ids.release(id)
      throw error
    }
    if (!guest) {
      ids.release(id)
      await this.#book.forget(entry, places)
      return
    }
    const { startedAt, isForeign = false } = status
    link.active = { guest, id, document, places, startedAt, isForeign, shutdown: undefined, held: undefined }
    entry.active = link.active
    entry.state = status.state
    const parts = { ...this.#parts, book: this.#book }
    if (status.held && !(await settleHeld(entry, link.active, status.held, parts))) return
    if (entry.state.state !== guest.phase) entry.state = stateOfPhase(guest.phase, 'unknown')
    if (status.shutdown) repeatShutdown(entry, link.active, status.shutdown, this.#parts)
    await this.#book.saveStatus(entry)
  }

  /** Within a job: takes charge of a guest that another program has started; does nothing where there is none. */
  async meet(entry: DomainEntry, { quiet }: { readonly quiet: boolean }): Promise<void> {
    const { ids, clock } = this.#parts
    const document = entry.inactiveDocument
    const id = ids.allocate()
    ids.release(id)
    const state: DomainState = { state: 'running', reason: 'unknown' }
    const definition = storedText(document)
    const { uuid, name } = entry
    const status = { uuid, name, id, state, definition, startedAt: clock.now(), isForeign: true }
    await this.adopt(entry, status, document)
    if (entry.active && !quiet) this.#book.emit(entry, { event: 'started', detail: 'booted' })
  }

  #adoptSpec(entry: DomainEntry, status: DomainStatus, document: DomainXml, sink: GuestSink): AdoptSpec {
    const { places, clock, logger } = this.#parts
    const domain = { uuid: entry.uuid, name: entry.name, id: status.id }
    const { record, isForeign } = status
    return { domain, document, places: places.of(entry.ref), sink, clock, logger, record, isForeign }
  }

  /** Within a job: saves the guest and ends it, or leaves it as it was. */
  save(entry: DomainEntry, active: ActiveGuest, terms: SaveTerms): Promise<void> {
    return saveGuest(entry, active, terms, { ...this.#parts, book: this.#book })
  }

  /** Stores the status of an active domain. A failure is logged: the guest matters more. */
  saveStatus(entry: DomainEntry): Promise<void> {
    return this.#book.saveStatus(entry)
  }

  /** Within a job: ends the guest. Does nothing where it has ended by itself meanwhile. */
  async destroy(entry: DomainEntry): Promise<void> {
    entry.restart = undefined
    if (entry.lost) return this.#destroyLost(entry, entry.lost)
    if (!entry.active) return
    await entry.active.guest.kill()
    await this.#book.stopped(entry, entry.active, 'destroyed')
  }

  /** Within a job: ends the guest, if there is one, because the domain goes back to a snapshot. */
  async endForRevert(entry: DomainEntry): Promise<void> {
    entry.restart = undefined
    if (!entry.active) return
    await entry.active.guest.kill()
    await this.#book.stopped(entry, entry.active, 'from-snapshot')
  }

  async #destroyLost(entry: DomainEntry, { status, document }: LostGuest): Promise<void> {
    const spec = this.#adoptSpec(entry, status, document, this.#reactions.link(entry).sink)
    await this.#parts.hypervisor.kill(spec)
    await this.#book.forget(entry, spec.places)
    const { ref } = entry
    entry.lost = undefined
    entry.state = { state: 'shutoff', reason: 'destroyed' }
    this.#parts.events.emit({ type: 'lifecycle', domain: ref, event: 'stopped', detail: 'destroyed' })
  }

  /** Within a job, once `entry` has another name than `before`: what it keeps by name follows. */
  async renamePlaces(before: DomainRef, entry: DomainEntry): Promise<void> {
    const { places } = this.#parts
    await this.#book.logged('Renaming the log of a domain failed', entry, () =>
      places.rename(places.of(before), places.of(entry.ref)),
    )
  }

  /** Within a job: pauses a running guest. */
  async pause(entry: DomainEntry, guest: Guest, options: CallOptions): Promise<void> {
    if (entry.state.state === 'paused') return
    await guest.pause(options)
    await this.#book.changePhase(entry, 'paused', 'user')
  }

  /** Within a job: lets a paused guest go on. */
  async resume(entry: DomainEntry, guest: Guest, options: CallOptions): Promise<void> {
    if (entry.state.state !== 'paused') return
    await guest.resume(options)
    await this.#book.changePhase(entry, 'running', 'unpaused')
  }
}
