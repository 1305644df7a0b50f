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
import type { DomainStatus, DomainStore } from './domain-store.js'
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
import type { PlaceKeeper } from './places.js'
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
interface LaunchTerms extends CallOptions {
  readonly paused: boolean
  /** The domain goes back to a snapshot; `memory` is its name where the guest's memory is in it. */
  readonly snapshot?: { readonly memory: string | undefined } | undefined
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
    { paused, snapshot, signal }: LaunchTerms,
  ): Promise<void> {
    const { hypervisor, ids, places: keeper, store, clock, logger } = this.#parts
    const undo = new UndoStack(logger)
    entry.starting = true
    try {
      const id = ids.allocate()
      undo.push(() => ids.release(id))
      const startedAt = clock.now()
      const state: DomainState = paused
        ? { state: 'paused', reason: snapshot ? 'from-snapshot' : 'user' }
        : { state: 'running', reason: snapshot ? 'from-snapshot' : 'booted' }
      const { uuid, name } = entry
      const status: DomainStatus = { uuid, name, id, state, definition: formatDomain(document), startedAt }
      const places = keeper.of(entry.ref)
      undo.push(() => keeper.clear(places))
      await keeper.prepare(places)
      undo.push(() => store.removeStatus(name))
      await store.saveStatus(status)
      throwIfAborted(signal)
      const link = this.#link(entry)
      const domain = { uuid, name, id }
      const memory = snapshot?.memory
      const spec = { domain, document, places, sink: link.sink, clock, logger, paused, memory }
      const guest = await hypervisor.launch(spec, { signal })
      undo.push(() => guest.release())
      undo.push(() => guest.kill())
      throwIfAborted(signal)
      await store.saveStatus({ ...status, record: guest.record })
      undo.clear()
      link.active = { guest, id, document, places, startedAt, shutdown: undefined }
      entry.active = link.active
      entry.restart = undefined
      entry.state = state
    } catch (error) {
      await undo.run()
      throw error
    } finally {
      entry.starting = false
    }
    this.#emit(entry, { event: 'started', detail: snapshot ? 'from-snapshot' : 'booted' })
    if (paused) this.#emit(entry, { event: 'suspended', detail: snapshot ? 'from-snapshot' : 'paused' })
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
    link.active = { guest, id, document, places, startedAt: status.startedAt, shutdown: undefined }
    entry.active = link.active
    entry.state = status.state.state === guest.phase ? status.state : stateOfPhase(guest.phase, 'unknown')
    if (status.shutdown) repeatShutdown(entry, link.active, status.shutdown, this.#parts)
    await this.saveStatus(entry)
  }

  #adoptSpec(entry: DomainEntry, status: DomainStatus, document: DomainXml, sink: GuestSink): AdoptSpec {
    const { places, clock, logger } = this.#parts
    const domain = { uuid: entry.uuid, name: entry.name, id: status.id }
    return { domain, document, places: places.of(entry.ref), sink, clock, logger, record: status.record }
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
    const { id, startedAt, guest, document, shutdown } = active
    await this.#logged('Storing a status failed', entry, () =>
      this.#parts.store.saveStatus({
        uuid,
        name,
        id,
        state,
        startedAt,
        record: guest.record,
        definition: formatDomain(document),
        ...(shutdown && { shutdown: { askedAt: shutdown.askedAt, mode: shutdown.mode } }),
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
        exited: (exit) => tell('exit', (active) => this.#exited(entry, active, exit)),
        rebooted: () => tell('reboot', (active) => this.#rebooted(entry, active)),
        phaseChanged: (phase) => tell('phase', (active) => this.#phaseChanged(entry, active, phase)),
        agentChanged: (state) =>
          tell('agent', () => this.#parts.events.emit({ type: 'agent', domain: entry.ref, state })),
        changed: () => tell('status', () => this.saveStatus(entry)),
      } satisfies GuestSink,
    }
    return link
  }

  async #exited(entry: DomainEntry, active: ActiveGuest, exit: GuestExit): Promise<void> {
    switch (exit.kind) {
      case 'shutdown':
        return this.#ended(entry, active, 'shutdown', active.document.onPoweroff)
      case 'crashed':
        this.#parts.logger.warn('A guest has crashed', { domain: entry.name, message: exit.message })
        return this.#ended(entry, active, 'crashed', active.document.onCrash)
      case 'killed':
        return this.#ended(entry, active, 'destroyed', 'destroy')
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
      return this.#ended(entry, active, 'crashed', active.document.onCrash)
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
    reason: 'shutdown' | 'crashed' | 'destroyed',
    action: string | undefined,
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
    await this.#stopped(entry, active, reason)
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

  /** Commits that the guest is gone, then says so. */
  async #stopped(
    entry: DomainEntry,
    active: ActiveGuest,
    reason: 'shutdown' | 'crashed' | 'destroyed' | 'from-snapshot',
  ): Promise<void> {
    const { ref } = entry
    active.shutdown?.over.abort()
    await this.#logged('Letting go of a guest failed', entry, () => active.guest.release())
    await this.#forget(entry, active.places)
    this.#parts.ids.release(active.id)
    entry.active = undefined
    entry.state = { state: 'shutoff', reason }
    this.#parts.events.emit({ type: 'lifecycle', domain: ref, event: 'stopped', detail: reason })
  }

  /** Removes what is remembered of one run of a guest. */
  async #forget(entry: DomainEntry, places: GuestPlaces): Promise<void> {
    await this.#logged('Clearing after a guest failed', entry, () => this.#parts.places.clear(places))
    await this.#logged('Removing a status failed', entry, () => this.#parts.store.removeStatus(entry.name))
  }

  #emit(
    entry: DomainEntry,
    what:
      | { event: 'started'; detail: 'booted' | 'from-snapshot' }
      | { event: 'suspended'; detail: 'paused' | 'from-snapshot' }
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
