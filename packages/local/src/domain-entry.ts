import type { DomainRef, DomainState } from '@covirt/core'
import type { DomainXml } from '@covirt/xml'
import type { DomainStatus, HeldGuest, ShutdownRequest } from './domain-store.js'
import type { Guest, GuestPlaces } from './hypervisor.js'
import type { JobQueue } from './job-queue.js'

/** The guest of an active domain, with what belongs to this run of it. */
export interface ActiveGuest {
  readonly guest: Guest
  readonly id: number
  /** What it was launched from, with the metadata that it has been given since. */
  document: DomainXml
  readonly places: GuestPlaces
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** Launched as another program's files say. */
  readonly isForeign: boolean
  /** The request to shut down that is being repeated, with what ends that. */
  shutdown: (ShutdownRequest & { readonly callOff: () => void }) | undefined
  held: HeldGuest | undefined
}

/** What is known of a guest that could not be reached. */
export interface LostGuest {
  readonly status: DomainStatus
  readonly document: DomainXml
  /** Why not. */
  readonly reason: string
}

/** One domain in a table: what is known of it, changed by its own jobs only. */
export class DomainEntry {
  readonly uuid: string
  /** Changed by `DomainTable.rename` only. */
  name: string
  readonly jobs: JobQueue
  /** The stored definition of a persistent domain. */
  definition: DomainXml | undefined
  autostart = false
  /** The definition is another program's. */
  isForeign = false
  state: DomainState = { state: 'shutoff', reason: 'unknown' }
  active: ActiveGuest | undefined
  /** A guest that may run, but could not be reached when the driver was opened. */
  lost: LostGuest | undefined
  /** A guest is being launched. */
  starting = false
  /** Its last guest has gone, and no other one is being launched. */
  hasGone = false
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
    return [this.definition, this.active, this.lost, this.restart].some((part) => part !== undefined)
  }

  /** What its next start uses. Only while it exists. */
  get inactiveDocument(): DomainXml {
    return (this.definition ?? this.active?.document ?? this.lost?.document ?? this.restart) as DomainXml
  }
}
