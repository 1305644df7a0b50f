import {
  type CallOptions,
  type Clock,
  type DomainRef,
  type Logger,
  type ShutdownOptions,
  type StartOptions,
  type SuspendOptions,
  throwIfAborted,
} from '@covirt/core'
import type { DomainXml } from '@covirt/xml'
import { checkShared } from './check-shared.js'
import { prepareWritten } from './definition.js'
import type { DomainEntry } from './domain-entry.js'
import type { DomainJobs } from './domain-jobs.js'
import type { DomainTable } from './domain-table.js'
import type { GuestKeeper } from './guest-keeper.js'
import type { Guest, Hypervisor } from './hypervisor.js'
import { requireActive, requireInactive, requireNotCrashed, requireOwn } from './refusals.js'
import type { SavedStates } from './saved-states.js'
import { repeatShutdown } from './shutdown-request.js'

/** What {@link DomainLives} works with. */
export interface DomainLivesParts {
  readonly hypervisor: Hypervisor
  readonly table: DomainTable
  readonly jobs: DomainJobs
  readonly keeper: GuestKeeper
  /** Where the hypervisor saves guests. */
  readonly saved: SavedStates | undefined
  readonly clock: Clock
  readonly logger: Logger
}

/** Starts and ends the guests of domains, and what lies between: as `Driver` promises. */
export class DomainLives {
  readonly #parts: DomainLivesParts

  constructor(parts: DomainLivesParts) {
    this.#parts = parts
  }

  async create(xml: string, options: StartOptions = {}): Promise<DomainRef> {
    throwIfAborted(options.signal)
    const document = prepareWritten(xml, this.#parts.hypervisor)
    await this.#parts.table.whenFree(document)
    const entry = this.#parts.table.reserve(document.uuid, document.name)
    return this.#parts.jobs.run(entry, 'create', options, async ({ signal }) => {
      this.#parts.table.reserve(document.uuid, document.name)
      requireOwn(entry)
      requireInactive(entry)
      return markStarting(entry, async () => {
        if (!options.forceBoot) await this.#parts.saved?.requireNone(entry)
        return this.#launch(entry, document, { ...options, signal })
      })
    })
  }

  async start(domain: DomainRef, options: StartOptions = {}): Promise<DomainRef> {
    return this.#parts.jobs.change(domain, 'start', options, async (entry, { signal }) => {
      requireInactive(entry)
      return markStarting(entry, async () => {
        const saved = options.forceBoot ? undefined : await this.#parts.saved?.find(entry)
        if (!saved) return this.#launch(entry, entry.inactiveDocument, { ...options, signal })
        await using image = saved
        return await image.launch({ paused: options.paused ?? false, signal })
      })
    })
  }

  async shutdown(domain: DomainRef, options: ShutdownOptions = {}): Promise<void> {
    await this.#parts.jobs.changeGuest(domain, 'shutdown', options, async (entry, active, { signal }) => {
      await this.#wake(entry, active.guest, signal)
      await active.guest.shutdown(options.mode, { signal })
      repeatShutdown(entry, active, { askedAt: this.#parts.clock.now(), mode: options.mode }, this.#parts)
      await this.#parts.keeper.saveStatus(entry)
    })
  }

  async reboot(domain: DomainRef, options: ShutdownOptions = {}): Promise<void> {
    await this.#parts.jobs.changeGuest(domain, 'reboot', options, async (entry, active, { signal }) => {
      await this.#wake(entry, active.guest, signal)
      await active.guest.reboot(options.mode, { signal })
      active.shutdown?.callOff()
      active.shutdown = undefined
      await this.#parts.keeper.saveStatus(entry)
    })
  }

  async destroy(domain: DomainRef, options: CallOptions = {}): Promise<void> {
    throwIfAborted(options.signal)
    const entry = this.#parts.table.get(domain)
    if (!entry.starting && !entry.restart && !entry.lost) requireActive(entry)
    await entry.jobs.preempt('destroy', options, () => this.#parts.keeper.destroy(entry))
  }

  async suspend(domain: DomainRef, options: SuspendOptions = {}): Promise<void> {
    const { jobs, keeper } = this.#parts
    await jobs.changeGuest(domain, 'suspend', options, async (entry, active, { signal }) => {
      requireNotCrashed(entry)
      if (entry.state.state === 'paused') return
      active.held = options.brief ? { resumes: true } : undefined
      // Known before it stands still: whoever finds it then lets it go on.
      if (active.held) await keeper.saveStatus(entry)
      try {
        await keeper.pause(entry, active.guest, { signal })
      } catch (error) {
        active.held = undefined
        await keeper.saveStatus(entry)
        throw error
      }
    })
  }

  async resume(domain: DomainRef, options: CallOptions = {}): Promise<void> {
    await this.#parts.jobs.changeGuest(domain, 'resume', options, async (entry, active, { signal }) => {
      requireNotCrashed(entry)
      active.held = undefined
      await this.#parts.keeper.resume(entry, active.guest, { signal })
    })
  }

  async #launch(entry: DomainEntry, document: DomainXml, options: StartOptions): Promise<DomainRef> {
    requireInactive(entry)
    checkShared(this.#parts, entry, document)
    const { paused = false, signal } = options
    const image = options.forceBoot ? await this.#parts.saved?.imageOf(entry) : undefined
    await this.#parts.keeper.launch(entry, document, { paused, image, signal })
    return entry.ref
  }

  /** A guest that does not run cannot act on what it is asked. */
  async #wake(entry: DomainEntry, guest: Guest, signal: AbortSignal | undefined): Promise<void> {
    requireNotCrashed(entry)
    await this.#parts.keeper.resume(entry, guest, { signal })
  }
}

/** From the first moment on, `destroy` is not refused but ends the start. */
async function markStarting<T>(entry: DomainEntry, start: () => Promise<T>): Promise<T> {
  entry.starting = true
  try {
    return await start()
  } finally {
    entry.starting = false
  }
}
