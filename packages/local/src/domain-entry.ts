import type { DomainRef, DomainState } from '@covirt/core'
import type { DomainXml } from '@covirt/xml'
import type { Guest, GuestPlaces } from './hypervisor.js'
import type { JobQueue } from './job-queue.js'

/** The guest of an active domain, with what belongs to this run of it. */
export interface ActiveGuest {
  readonly guest: Guest
  readonly id: number
  /** What it was launched from. */
  readonly document: DomainXml
  readonly places: GuestPlaces
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** Ends the repetition of a shutdown request, where one is under way. */
  shutdownRequest: AbortController | undefined
}

/** One domain in a table: what is known of it, changed by its own jobs only. */
export class DomainEntry {
  readonly uuid: string
  readonly name: string
  readonly jobs: JobQueue
  /** The stored definition of a persistent domain. */
  definition: DomainXml | undefined
  autostart = false
  state: DomainState = { state: 'shutoff', reason: 'unknown' }
  active: ActiveGuest | undefined
  /** A guest is being launched. */
  starting = false
  /** The document of a guest that has ended and is to be launched again. */
  restart: DomainXml | undefined

  constructor(uuid: string, name: string, jobs: JobQueue) {
    this.uuid = uuid
    this.name = name
    this.jobs = jobs
  }

  get ref(): DomainRef {
    return this.active
      ? { uuid: this.uuid, name: this.name, id: this.active.id }
      : { uuid: this.uuid, name: this.name }
  }

  /** Whether users see it. An entry that does not exist is a reservation of its name and uuid. */
  get exists(): boolean {
    return this.definition !== undefined || this.active !== undefined || this.restart !== undefined
  }

  /** What its next start uses. Only while it exists. */
  get inactiveDocument(): DomainXml {
    return (this.definition ?? this.active?.document ?? this.restart) as DomainXml
  }
}
