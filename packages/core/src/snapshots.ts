import type { CallOptions } from './abort.js'
import type { DomainRef } from './domain.js'
import type { XmlOptions } from './driver.js'

/** In which states a domain is when its snapshot is taken, as `<state>` tells them. */
export const snapshotStates = ['running', 'paused', 'shutoff', 'disk-snapshot'] as const

/**
 * One of {@link snapshotStates}. `running` and `paused` are with the guest's memory; `disk-snapshot` is the storage
 * alone of a guest that ran.
 */
export type SnapshotState = (typeof snapshotStates)[number]

/** A snapshot, as lists show it. */
export interface SnapshotInfo {
  /** Unique among those of its domain. */
  readonly name: string
  readonly description?: string
  /** The name of that which was the current one when it was taken. */
  readonly parent?: string
  readonly state: SnapshotState
  /** Milliseconds since 1970, in whole seconds. */
  readonly createdAt: number
  /** What the domain now is goes back to it: it was the last to be taken or reverted to. One at the most. */
  readonly current: boolean
}

/** How a snapshot is taken. */
export interface CreateSnapshotOptions extends CallOptions {
  /** Leave out the guest's memory: state `disk-snapshot` where the domain is active. */
  readonly diskOnly?: boolean | undefined
}

/** In which state a domain is to be after a revert. Default: that in which the snapshot was taken. */
export interface RevertSnapshotOptions extends CallOptions {
  readonly running?: boolean | undefined
  readonly paused?: boolean | undefined
}

/** How a snapshot is deleted. */
export interface DeleteSnapshotOptions extends CallOptions {
  /**
   * What becomes of those that descend from it. `keep`: its children become its parent's; `too`: they are deleted
   * with it; `only`: they are deleted and it is not. Default `keep`.
   */
  readonly children?: 'keep' | 'too' | 'only' | undefined
}

/**
 * Role: what a persistent domain has stored, and its definition, as at one moment, to go back to. The snapshots of a
 * domain are a tree; they go by its new name when it is renamed, and `undefineDomain` is refused with
 * `OPERATION_INVALID` while it has any.
 */
export interface SnapshotsRole {
  /**
   * Takes a snapshot as a `<domainsnapshot>` document says: `<name>` (default: the time), `<description>`, and whatever
   * else is in it. It becomes the current one, its parent the one before.
   *
   * A guest that runs goes on as it was; what is stored is as at one moment of it. Its memory is saved with that where
   * the driver can (`running`, `paused`), and else left out (`disk-snapshot`); to have it left out, `diskOnly` or
   * `<memory snapshot='no'/>`. `CONFIG_UNSUPPORTED` where `<memory snapshot='internal'/>` cannot be had, and for
   * `external`. `OPERATION_INVALID` where the domain is transient or has a snapshot of that name, `XML_ERROR` for a
   * name with a slash or control characters.
   */
  createSnapshot(domain: DomainRef, xml: string, options?: CreateSnapshotOptions): Promise<SnapshotInfo>
  /** All of them; parents before their children. */
  listSnapshots(domain: DomainRef, options?: CallOptions): Promise<readonly SnapshotInfo[]>
  /** The `<domainsnapshot>` document, with the definition of the domain at that time. */
  getSnapshotXml(
    domain: DomainRef,
    snapshot: string,
    options?: Pick<XmlOptions, 'secure' | 'signal'>,
  ): Promise<string>
  /**
   * Makes what is stored, and the definition, what they were; only the name stays what it is. A guest that runs is
   * ended first: `stopped`/`from-snapshot`. A definition that differs is told as `defined`/`from-snapshot`. Then the
   * guest is started where the snapshot is of one that ran with its memory, or `running` or `paused` says so:
   * `started`/`from-snapshot`, and for a paused one `suspended`/`from-snapshot`. The snapshot becomes the current one.
   * Where that fails after the guest was ended, the domain stays off. `NO_DOMAIN_SNAPSHOT` where there is none of that
   * name, `OPERATION_INVALID` where the domain has a managed state (see role `savedState`).
   */
  revertToSnapshot(domain: DomainRef, snapshot: string, options?: RevertSnapshotOptions): Promise<void>
  /**
   * Deletes a snapshot and what it kept; what the domain now is stays as it is. Where it was the current one its
   * parent is. One that could not be deleted is still listed. `NO_DOMAIN_SNAPSHOT` where there is none of that name.
   */
  deleteSnapshot(domain: DomainRef, snapshot: string, options?: DeleteSnapshotOptions): Promise<void>
}
