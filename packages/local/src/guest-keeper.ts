import { randomUUID } from 'node:crypto'
import {
  type CallOptions,
  type Clock,
  type DomainEvent,
  type DomainRef,
  type DomainState,
  type EventHub,
  isVirError,
  type Logger,
  messageOf,
  throwIfAborted,
} from '@covirt/core'
import { type DomainXml, formatDomain } from '@covirt/xml'
import type { ActiveGuest, DomainEntry, LostGuest } from './domain-entry.js'
import type { DomainStatus, DomainStore, HeldGuest } from './domain-store.js'
import type {
  AdoptSpec,
  Guest,
  GuestExit,
  GuestPhase,
  GuestPlaces,
  GuestSink,
  Hypervisor,
} from './hypervisor.js'
import type { IdAllocator } from './id-allocator.js'
import { FileImage, type ImagePlace, type ManagedImage } from './image-place.js'
import type { PlaceKeeper } from './places.js'
import { formatImage, openSavedImage } from './saved-image.js'
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

/** As what, and where to, a guest is saved. */
export interface SaveTerms extends CallOptions {
  readonly place: ImagePlace
  /** Where that is, if it is not the domain's managed state. */
  readonly path?: string | undefined
  readonly restoreAs: 'running' | 'paused'
}

interface StopTerms {
  /** Nothing of the guest is left on the host. */
  readonly isFree: boolean
}

/** A guest that ended sooner than this after its start is given a moment before it is started again. */
const shortLifeMs = 10_000
const restartDelayMs = 1000

/**
 * Brings guests up, finds them again, takes them down, and acts on what they do by themselves. All of it
 * within the domain's jobs, and each change in the order of the contract: state, then event.
 */
export class GuestKeeper {
  readonly #parts: GuestKeeperParts

  constructor(parts: GuestKeeperParts) {
    this.#parts = parts
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
      const definition = formatDomain(document)
      const status: DomainStatus = { uuid, name, id, state, definition, startedAt, isForeign }
      const places = keeper.of(entry.ref)
      undo.push(() => keeper.clear(places))
      await keeper.prepare(places)
      undo.push(() => store.removeStatus(name))
      await store.saveStatus(status)
      throwIfAborted(signal)
      const link = this.#link(entry)
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
        await this.#logged('Removing a used state failed', entry, () => image.dropAside())
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
    this.#emit(entry, { event: 'started', detail: origin })
    const stillness = leavePaused ? 'paused' : 'restored'
    if (paused) this.#emit(entry, { event: 'suspended', detail: snapshot ? 'from-snapshot' : stillness })
  }

  /** Within a job: finds the guest of `status` again, or clears what is left of it. Rejects where it is not reached. */
  async adopt(entry: DomainEntry, status: DomainStatus, document: DomainXml): Promise<void> {
    const { hypervisor, ids, places: keeper } = this.#parts
    const id = ids.reallocate(status.id)
    const link = this.#link(entry)
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
      await this.#forget(entry, places)
      return
    }
    const { startedAt, isForeign = false } = status
    link.active = { guest, id, document, places, startedAt, isForeign, shutdown: undefined, held: undefined }
    entry.active = link.active
    entry.state = status.state
    if (status.held && (await this.#wasSaved(entry, status.held))) {
      await guest.kill()
      return this.#stopped(entry, link.active, 'saved')
    }
    if (status.held) await this.#letGo(entry, guest, status.held)
    if (entry.state.state !== guest.phase) entry.state = stateOfPhase(guest.phase, 'unknown')
    if (status.shutdown) repeatShutdown(entry, link.active, status.shutdown, this.#parts)
    await this.saveStatus(entry)
  }

  /** Within a job: takes charge of a guest that another program has started; does nothing where there is none. */
  async meet(entry: DomainEntry, { quiet }: { readonly quiet: boolean }): Promise<void> {
    const { ids, clock } = this.#parts
    const document = entry.inactiveDocument
    const id = ids.allocate()
    ids.release(id)
    const state: DomainState = { state: 'running', reason: 'unknown' }
    const definition = formatDomain(document)
    const { uuid, name } = entry
    const status = { uuid, name, id, state, definition, startedAt: clock.now(), isForeign: true }
    await this.adopt(entry, status, document)
    if (entry.active && !quiet) this.#emit(entry, { event: 'started', detail: 'booted' })
  }

  #adoptSpec(entry: DomainEntry, status: DomainStatus, document: DomainXml, sink: GuestSink): AdoptSpec {
    const { places, clock, logger } = this.#parts
    const domain = { uuid: entry.uuid, name: entry.name, id: status.id }
    const { record, isForeign } = status
    return { domain, document, places: places.of(entry.ref), sink, clock, logger, record, isForeign }
  }

  /** Within a job: saves the guest and ends it, or leaves it as it was. */
  async save(entry: DomainEntry, active: ActiveGuest, terms: SaveTerms): Promise<void> {
    const { guest, document } = active
    const { place, path, restoreAs, signal } = terms
    if (!guest.save) throw new TypeError('The guest cannot be saved')
    const before = entry.state
    const id = randomUUID()
    const header = { id, driver: this.#parts.hypervisor.type, xml: formatDomain(document), restoreAs }
    active.held = { resumes: before.state === 'running', image: { id, path } }
    entry.state = { state: 'paused', reason: 'save' }
    await this.saveStatus(entry)
    try {
      await guest.save((state) => place.write(formatImage(header, state), { signal }), { signal })
    } catch (error) {
      active.held = undefined
      entry.state = before
      await this.saveStatus(entry)
      throw error
    }
    await guest.kill()
    await this.#stopped(entry, active, 'saved')
  }

  /** Whether a guest that was being saved when that was cut off has its state in place. */
  async #wasSaved(entry: DomainEntry, { image }: HeldGuest): Promise<boolean> {
    if (!image) return false
    const place =
      image.path === undefined ? this.#parts.places.savedImage(entry.ref) : new FileImage(image.path)
    const saved = await openSavedImage(place).catch(() => undefined)
    await saved?.[Symbol.asyncDispose]()
    return saved?.header.id === image.id
  }

  /** A guest goes on whose task was cut off. */
  async #letGo(entry: DomainEntry, guest: Guest, { resumes, image }: HeldGuest): Promise<void> {
    if (resumes && guest.phase === 'paused')
      await this.#logged('Resuming a guest failed', entry, () => guest.resume({}))
    if (image === undefined) return
    entry.state = resumes
      ? { state: 'running', reason: 'save-canceled' }
      : { state: 'paused', reason: 'user' }
  }

  /** Within a job: ends the guest. Does nothing where it has ended by itself meanwhile. */
  async destroy(entry: DomainEntry): Promise<void> {
    entry.restart = undefined
    if (entry.lost) return this.#destroyLost(entry, entry.lost)
    if (!entry.active) return
    await entry.active.guest.kill()
    await this.#stopped(entry, entry.active, 'destroyed')
  }

  /** Within a job: ends the guest, if there is one, because the domain goes back to a snapshot. */
  async endForRevert(entry: DomainEntry): Promise<void> {
    entry.restart = undefined
    if (!entry.active) return
    await entry.active.guest.kill()
    await this.#stopped(entry, entry.active, 'from-snapshot')
  }

  async #destroyLost(entry: DomainEntry, { status, document }: LostGuest): Promise<void> {
    const spec = this.#adoptSpec(entry, status, document, this.#link(entry).sink)
    await this.#parts.hypervisor.kill(spec)
    await this.#forget(entry, spec.places)
    const { ref } = entry
    entry.lost = undefined
    entry.state = { state: 'shutoff', reason: 'destroyed' }
    this.#parts.events.emit({ type: 'lifecycle', domain: ref, event: 'stopped', detail: 'destroyed' })
  }

  /** Within a job, once `entry` has another name than `before`: what it keeps by name follows. */
  async renamePlaces(before: DomainRef, entry: DomainEntry): Promise<void> {
    const { places } = this.#parts
    await this.#logged('Renaming the log of a domain failed', entry, () =>
      places.rename(places.of(before), places.of(entry.ref)),
    )
  }

  /** Within a job: pauses a running guest. */
  async pause(entry: DomainEntry, guest: Guest, options: CallOptions): Promise<void> {
    if (entry.state.state === 'paused') return
    await guest.pause(options)
    await this.#changePhase(entry, 'paused', 'user')
  }

  /** Within a job: lets a paused guest go on. */
  async resume(entry: DomainEntry, guest: Guest, options: CallOptions): Promise<void> {
    if (entry.state.state !== 'paused') return
    await guest.resume(options)
    await this.#changePhase(entry, 'running', 'unpaused')
  }

  /** Stores the status of an active domain. A failure is logged: the guest matters more. */
  async saveStatus(entry: DomainEntry): Promise<void> {
    const { active, uuid, name, state } = entry
    if (!active) return
    const { id, startedAt, guest, document, isForeign, shutdown, held } = active
    await this.#logged('Storing a status failed', entry, () =>
      this.#parts.store.saveStatus({
        uuid,
        name,
        id,
        state,
        startedAt,
        isForeign,
        record: guest.record,
        definition: formatDomain(document),
        ...(shutdown && { shutdown: { askedAt: shutdown.askedAt, mode: shutdown.mode } }),
        ...(held && { held }),
      }),
    )
  }

  /** The sink of one guest. What it is told counts only while that guest is the domain's. */
  #link(entry: DomainEntry): { active: ActiveGuest | undefined; readonly sink: GuestSink } {
    const tell = (what: string, act: (active: ActiveGuest) => void | Promise<void>) => {
      const job = entry.jobs.runNext(what, async () => {
        if (link.active && entry.active === link.active) await act(link.active)
      })
      job.catch((error: unknown) => {
        this.#parts.logger.error('Acting on a guest failed', {
          domain: entry.name,
          what,
          error: messageOf(error),
        })
      })
    }
    const link = {
      active: undefined as ActiveGuest | undefined,
      sink: {
        ended: (exit) => tell('exit', (active) => this.#exited(entry, active, exit, { isFree: false })),
        exited: (exit) => tell('exit', (active) => this.#exited(entry, active, exit, { isFree: true })),
        rebooted: () => tell('reboot', (active) => this.#rebooted(entry, active)),
        phaseChanged: (phase) => tell('phase', (active) => this.#phaseChanged(entry, active, phase)),
        agentChanged: (state) =>
          tell('agent', () => this.#parts.events.emit({ type: 'agent', domain: entry.ref, state })),
        changed: () => tell('status', () => this.saveStatus(entry)),
      } satisfies GuestSink,
    }
    return link
  }

  async #exited(
    entry: DomainEntry,
    active: ActiveGuest,
    exit: GuestExit,
    { isFree }: StopTerms,
  ): Promise<void> {
    switch (exit.kind) {
      case 'shutdown':
        return this.#ended(entry, active, { reason: 'shutdown', action: active.document.onPoweroff, isFree })
      case 'crashed':
        this.#parts.logger.warn('A guest has crashed', { domain: entry.name, message: exit.message })
        return this.#ended(entry, active, { reason: 'crashed', action: active.document.onCrash, isFree })
      case 'killed':
        return this.#ended(entry, active, { reason: 'destroyed', action: 'destroy', isFree })
    }
  }

  async #rebooted(entry: DomainEntry, active: ActiveGuest): Promise<void> {
    const action = active.document.onReboot ?? 'restart'
    if (action === 'destroy' || action === 'preserve') {
      await active.guest.kill()
      return this.#stopped(entry, active, 'shutdown')
    }
    this.#parts.events.emit({ type: 'reboot', domain: entry.ref })
  }

  async #phaseChanged(entry: DomainEntry, active: ActiveGuest, phase: GuestPhase): Promise<void> {
    if (entry.state.state === phase) return
    if (phase !== 'crashed')
      return this.#changePhase(entry, phase, phase === 'running' ? 'unpaused' : 'unknown')
    if (active.document.onCrash !== 'preserve') {
      await active.guest.kill()
      return this.#ended(entry, active, {
        reason: 'crashed',
        action: active.document.onCrash,
        isFree: true,
      })
    }
    entry.state = { state: 'crashed', reason: 'panicked' }
    await this.saveStatus(entry)
    this.#emit(entry, { event: 'crashed', detail: 'panicked' })
  }

  async #changePhase(
    entry: DomainEntry,
    phase: 'running' | 'paused',
    reason: 'user' | 'unpaused' | 'unknown',
  ): Promise<void> {
    entry.state = stateOfPhase(phase, reason)
    await this.saveStatus(entry)
    if (phase === 'paused') this.#emit(entry, { event: 'suspended', detail: 'paused' })
    else this.#emit(entry, { event: 'resumed', detail: 'unpaused' })
  }

  /** The guest is gone; its definition says what comes next. */
  async #ended(
    entry: DomainEntry,
    active: ActiveGuest,
    {
      reason,
      action,
      isFree,
    }: StopTerms & {
      readonly reason: 'shutdown' | 'crashed' | 'destroyed'
      readonly action: string | undefined
    },
  ): Promise<void> {
    const restarts = action === 'restart' || action === 'rename-restart' || action === 'coredump-restart'
    if (restarts) {
      const lifeMs = this.#parts.clock.now() - active.startedAt
      entry.restart = entry.definition ?? active.document
      const job = entry.jobs.run('restart', undefined, (options) =>
        this.#restart(entry, lifeMs < shortLifeMs ? restartDelayMs : 0, options),
      )
      job.catch((error: unknown) => {
        if (isVirError(error, 'OPERATION_ABORTED')) return
        this.#parts.logger.error('Restarting a guest failed', { domain: entry.name, error: messageOf(error) })
      })
    }
    await this.#stopped(entry, active, reason, { isFree })
  }

  async #restart(entry: DomainEntry, delayMs: number, options: CallOptions): Promise<void> {
    const document = entry.restart
    if (!document) return
    try {
      if (delayMs > 0) await this.#parts.clock.sleep(delayMs, options)
      await this.launch(entry, document, { paused: false, signal: options.signal })
    } finally {
      entry.restart = undefined
    }
  }

  /**
   * Commits that the guest is gone, then says so. What it still holds is freed after that, before any other job: a status is
   * there for as long as something of a guest may be.
   */
  async #stopped(
    entry: DomainEntry,
    active: ActiveGuest,
    reason: 'shutdown' | 'crashed' | 'destroyed' | 'from-snapshot' | 'saved',
    { isFree }: StopTerms = { isFree: true },
  ): Promise<void> {
    const { ref } = entry
    active.shutdown?.over.abort()
    if (isFree) await this.#clear(entry, active)
    this.#parts.ids.release(active.id)
    entry.active = undefined
    entry.state = { state: 'shutoff', reason }
    entry.hasGone = true
    this.#parts.events.emit({ type: 'lifecycle', domain: ref, event: 'stopped', detail: reason })
    if (isFree) return
    await this.#logged('Freeing what a guest held failed', entry, () => active.guest.kill())
    await this.#clear(entry, active)
  }

  async #clear(entry: DomainEntry, { guest, places }: ActiveGuest): Promise<void> {
    await this.#logged('Letting go of a guest failed', entry, () => guest.release())
    await this.#forget(entry, places)
  }

  /** Removes what is remembered of one run of a guest. */
  async #forget(entry: DomainEntry, places: GuestPlaces): Promise<void> {
    await this.#logged('Clearing after a guest failed', entry, () => this.#parts.places.clear(places))
    await this.#logged('Removing a status failed', entry, () => this.#parts.store.removeStatus(entry.name))
  }

  #emit(
    entry: DomainEntry,
    what:
      | { event: 'started'; detail: 'booted' | 'from-snapshot' | 'restored' }
      | { event: 'suspended'; detail: 'paused' | 'from-snapshot' | 'restored' }
      | { event: 'resumed'; detail: 'unpaused' }
      | { event: 'crashed'; detail: 'panicked' },
  ): void {
    this.#parts.events.emit({ type: 'lifecycle', domain: entry.ref, ...what })
  }

  async #logged(message: string, entry: DomainEntry, act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      this.#parts.logger.error(message, { domain: entry.name, error: messageOf(error) })
    }
  }
}

function stateOfPhase(phase: GuestPhase, reason: 'user' | 'unpaused' | 'unknown'): DomainState {
  switch (phase) {
    case 'running':
      return { state: 'running', reason: reason === 'unpaused' ? 'unpaused' : 'unknown' }
    case 'paused':
      return { state: 'paused', reason: reason === 'user' ? 'user' : 'unknown' }
    case 'crashed':
      return { state: 'crashed', reason: 'panicked' }
  }
}
