import { type CallOptions, isVirError, messageOf } from '@covirt/core'
import { type DomainXml, devicesOf, withDevices } from '@covirt/xml'
import type { ActiveGuest, DomainEntry } from './domain-entry.js'
import type { GuestBook, StopTerms } from './guest-book.js'
import type { GuestKeeperParts } from './guest-keeper.js'
import type { GuestExit, GuestPhase, GuestSink } from './hypervisor.js'

/** What {@link GuestReactions} works with. */
export interface GuestReactionsParts extends Pick<GuestKeeperParts, 'clock' | 'logger' | 'events'> {
  readonly book: GuestBook
  /** Within a job: launches a guest of `entry` that boots. */
  readonly launch: (entry: DomainEntry, document: DomainXml, options: CallOptions) => Promise<void>
}

/** What one guest tells, and to whom it belongs. */
export interface GuestLink {
  /** Set once the guest is the domain's. */
  active: ActiveGuest | undefined
  readonly sink: GuestSink
}

interface EndTerms extends StopTerms {
  readonly reason: 'shutdown' | 'crashed' | 'destroyed'
  /** What its definition says. */
  readonly action: string | undefined
}

/** A guest that ended sooner than this after its start is given a moment before it is started again. */
const shortLifeMs = 10_000
const restartDelayMs = 1000

/** Acts on what guests do by themselves, as their definitions say. */
export class GuestReactions {
  readonly #parts: GuestReactionsParts

  constructor(parts: GuestReactionsParts) {
    this.#parts = parts
  }

  /** The sink of one guest. What it is told counts only while that guest is the domain's. */
  link(entry: DomainEntry): GuestLink {
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
        devicesChanged: (kind) =>
          tell('devices', (active) => {
            active.document = withDevices(active.document, kind, devicesOf(active.guest.document, kind))
            return this.#parts.book.saveStatus(entry)
          }),
        changed: () => tell('status', () => this.#parts.book.saveStatus(entry)),
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
      return this.#parts.book.stopped(entry, active, 'shutdown')
    }
    this.#parts.events.emit({ type: 'reboot', domain: entry.ref })
  }

  async #phaseChanged(entry: DomainEntry, active: ActiveGuest, phase: GuestPhase): Promise<void> {
    if (entry.state.state === phase) return
    if (phase !== 'crashed')
      return this.#parts.book.changePhase(entry, phase, phase === 'running' ? 'unpaused' : 'unknown')
    if (active.document.onCrash !== 'preserve') {
      await active.guest.kill()
      return this.#ended(entry, active, {
        reason: 'crashed',
        action: active.document.onCrash,
        isFree: true,
      })
    }
    entry.state = { state: 'crashed', reason: 'panicked' }
    await this.#parts.book.saveStatus(entry)
    this.#parts.book.emit(entry, { event: 'crashed', detail: 'panicked' })
  }

  /** The guest is gone; its definition says what comes next. */
  async #ended(entry: DomainEntry, active: ActiveGuest, { reason, action, isFree }: EndTerms): Promise<void> {
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
    await this.#parts.book.stopped(entry, active, reason, { isFree })
  }

  async #restart(entry: DomainEntry, delayMs: number, options: CallOptions): Promise<void> {
    const document = entry.restart
    if (!document) return
    try {
      if (delayMs > 0) await this.#parts.clock.sleep(delayMs, options)
      await this.#parts.launch(entry, document, options)
    } finally {
      entry.restart = undefined
    }
  }
}
