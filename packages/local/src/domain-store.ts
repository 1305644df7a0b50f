import type { CallOptions, DomainState, ShutdownMode } from '@covirt/core'
import type { GuestRecord } from './hypervisor.js'

/** A request to shut down, which is repeated until the guest goes off. */
export interface ShutdownRequest {
  /** Milliseconds since 1970. */
  readonly askedAt: number
  readonly mode?: ShutdownMode | undefined
}

/** A guest that stands still for a task of ours, and what is to become of it if that is cut off. */
export interface HeldGuest {
  /** Whether it ran before, or is to run next. */
  readonly resumes: boolean
  /** The state that it is being saved as: where that is complete, the guest is ended instead. */
  readonly image?: { readonly id: string; readonly path?: string | undefined } | undefined
}

/** What is remembered of an active domain, so that a later process finds its guest again. */
export interface DomainStatus {
  readonly uuid: string
  readonly name: string
  readonly id: number
  readonly state: DomainState
  /** The definition it was launched with: prepared, inactive XML. */
  readonly definition: string
  /** {@link GuestRecord} of the guest; `undefined` while it is being launched. */
  readonly record?: GuestRecord | undefined
  /** When it was launched, in milliseconds since 1970. */
  readonly startedAt: number
  /** It was launched as another program's files say. */
  readonly isForeign?: boolean | undefined
  /** The request to shut down that is being repeated. */
  readonly shutdown?: ShutdownRequest | undefined
  readonly held?: HeldGuest | undefined
}

/** A domain as a store holds it. At least one of `definition` and `status` is there. */
export interface StoredDomain {
  readonly name: string
  readonly definition?: string
  readonly autostart: boolean
  readonly status?: DomainStatus
}

/** A snapshot as a store holds it. */
export interface StoredSnapshot {
  /** `<domainsnapshot>`, without `<domain>`. */
  readonly document: string
  /** The definition at that time, as it was. */
  readonly definition: string
}

/** The snapshots of one domain. */
export interface StoredSnapshots {
  /** The name of the current one. */
  readonly current?: string | undefined
  /** In the order in which they were taken. */
  readonly taken: readonly StoredSnapshot[]
}

/**
 * Where domains are remembered. Names have been checked: they are single path components. Definitions, snapshots and
 * autostart flags survive a loss of power once a call has resolved; a status survives the process. A call that
 * rejects has changed nothing.
 */
export interface DomainStore {
  /** All that is stored. What cannot be read is logged, left alone, and left out. */
  load(): Promise<readonly StoredDomain[]>
  /** Stores or replaces a definition. A `signal` that fires in time leaves the old one. */
  saveDefinition(name: string, xml: string, options?: CallOptions): Promise<void>
  /** Removes definition and autostart flag. */
  removeDefinition(name: string): Promise<void>
  /**
   * Stores `xml` as the definition of `to`, which has none, in place of that of `from`, whose autostart flag it
   * gets. Either all of it or nothing, also where the process or the power is lost meanwhile.
   */
  renameDefinition(from: string, to: string, xml: string): Promise<void>
  setAutostart(name: string, autostart: boolean): Promise<void>
  saveStatus(status: DomainStatus): Promise<void>
  removeStatus(name: string): Promise<void>
  /** The snapshots of the domain with this uuid; `undefined` where it has none. */
  loadSnapshots(uuid: string): Promise<StoredSnapshots | undefined>
  /** Replaces them as a whole, as durably as a definition. */
  saveSnapshots(uuid: string, snapshots: StoredSnapshots | undefined): Promise<void>
}
