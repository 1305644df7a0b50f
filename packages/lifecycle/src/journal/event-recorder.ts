import type { Clock, Driver, DriverEvent, Logger, Unsubscribe } from '@covirt/core'
import { messageOf } from '@covirt/core'
import type { Journal, JournalEntry } from './journal.js'

/** What an {@link EventRecorder} works with. */
export interface EventRecorderParts {
  readonly journal: Journal
  readonly driver: Driver
  readonly clock: Clock
  readonly logger: Logger
  readonly boot: string
}

/**
 * A journal that also notes what happens without a runner: users' starts and stops, guests that end or restart by
 * themselves, crashes. What a runner is about to bring about is left to the runner, which knows why.
 */
export class EventRecorder implements Journal {
  readonly #parts: EventRecorderParts
  readonly #inRunners = new Set<string>()
  readonly #unsubscribe: Unsubscribe

  constructor(parts: EventRecorderParts) {
    this.#parts = parts
    this.#unsubscribe = parts.driver.subscribe((event) => this.#hear(event))
  }

  async append(entry: JournalEntry): Promise<void> {
    const { uuid, event } = entry
    if (uuid !== undefined) {
      if (event === 'starting' || event === 'stopping') this.#inRunners.add(uuid)
      else this.#inRunners.delete(uuid)
    }
    await this.#parts.journal.append(entry)
  }

  read(): Promise<readonly JournalEntry[]> {
    return this.#parts.journal.read()
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    await this.#parts.journal.close()
  }

  #hear(event: DriverEvent): void {
    if (event.type === 'reboot') this.#note(event.domain, { event: 'rebooted', actor: 'guest' })
    if (event.type !== 'lifecycle' || this.#inRunners.has(event.domain.uuid)) return
    if (event.event === 'started') this.#note(event.domain, { event: 'started', actor: 'user' })
    if (event.event !== 'stopped') return
    const { detail } = event
    if (detail === 'crashed')
      this.#note(event.domain, { event: 'stopped', actor: 'guest', how: 'forced', why: 'it crashed' })
    else if (detail === 'shutdown')
      this.#note(event.domain, { event: 'stopped', actor: 'guest', how: 'clean' })
    else
      this.#note(event.domain, {
        event: 'stopped',
        actor: 'user',
        how: detail === 'saved' ? 'saved' : 'forced',
      })
  }

  #note(
    { uuid, name }: { readonly uuid: string; readonly name: string },
    entry: Pick<JournalEntry, 'event' | 'actor' | 'how' | 'why'>,
  ): void {
    const { journal, clock, boot, logger } = this.#parts
    journal.append({ at: clock.now(), boot, uuid, name, ...entry }).catch((error: unknown) => {
      logger.error('The journal cannot be written', { error: messageOf(error) })
    })
  }
}
