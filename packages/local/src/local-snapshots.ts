import {
  type CallOptions,
  type CreateSnapshotOptions,
  type DeleteSnapshotOptions,
  type DomainEvent,
  type DomainRef,
  type EventHub,
  type RevertSnapshotOptions,
  type SnapshotInfo,
  type SnapshotsRole,
  throwIfAborted,
  VirError,
  type XmlOptions,
} from '@covirt/core'
import { type DomainXml, formatDomain, formatSnapshot, parseSnapshot, type SnapshotXml } from '@covirt/xml'
import { checkShared } from './check-shared.js'
import type { DomainEntry } from './domain-entry.js'
import { checkPathName } from './domain-name.js'
import type { GuestKeeper, GuestKeeperParts } from './guest-keeper.js'
import type { SnapshotSpec, StorageSnapshots } from './hypervisor.js'
import { redactSecrets } from './redact-secrets.js'
import { requireNotCrashed, requireOwn, requirePersistent, requireReachable } from './refusals.js'
import { savedDocumentOf } from './save-guest.js'
import { SnapshotTree, type TakenSnapshot } from './snapshot-tree.js'

/** What the snapshots of a driver work with. */
export interface LocalSnapshotsParts extends Omit<GuestKeeperParts, 'events'> {
  readonly storage: StorageSnapshots
  readonly keeper: GuestKeeper
  readonly events: EventHub<DomainEvent>
  readonly table: Iterable<DomainEntry>
  readonly find: (domain: DomainRef) => DomainEntry
  /** Rejects where the domain has a managed state, which would not go with another storage. */
  readonly requireNoState: (entry: DomainEntry) => Promise<void>
  /** Runs `work` as a job of a domain that exists. */
  readonly change: <T>(
    domain: DomainRef,
    name: string,
    options: CallOptions,
    work: (entry: DomainEntry, options: CallOptions) => Promise<T>,
  ) => Promise<T>
}

/** The trees of snapshots of a driver's domains, over what its hypervisor does with their storage. */
export class LocalSnapshots implements SnapshotsRole {
  readonly #parts: LocalSnapshotsParts

  constructor(parts: LocalSnapshotsParts) {
    this.#parts = parts
  }

  async createSnapshot(
    domain: DomainRef,
    xml: string,
    options: CreateSnapshotOptions = {},
  ): Promise<SnapshotInfo> {
    const wanted = parseSnapshot(xml)
    return this.#parts.change(domain, 'snapshot', options, async (entry, { signal }) => {
      const definition = requirePersistent(entry)
      requireOwn(entry)
      requireReachable(entry)
      requireNotCrashed(entry)
      const { storage, store } = this.#parts
      const tree = await this.#treeOf(entry)
      const planned = this.#complete(wanted, entry, tree, options.diskOnly ?? false)
      const snapshot = entry.active
        ? { ...planned, domain: await savedDocumentOf(entry.active, { signal }) }
        : planned
      const memory = snapshot.memory?.snapshot === 'internal'
      const document = entry.active?.document ?? definition
      const spec = { ...this.#specOf(entry, snapshot, document), memory, guest: entry.active?.guest }
      await storage.take(spec, { signal })
      try {
        throwIfAborted(signal)
        await store.saveSnapshots(entry.uuid, tree.grow(snapshot).stored)
      } catch (error) {
        await storage.remove(spec)
        throw error
      }
      return infoOf(snapshot, snapshot.name)
    })
  }

  async listSnapshots(domain: DomainRef, options: CallOptions = {}): Promise<readonly SnapshotInfo[]> {
    throwIfAborted(options.signal)
    const tree = await this.#treeOf(this.#parts.find(domain))
    return tree.snapshots.map((snapshot) => infoOf(snapshot, tree.current))
  }

  async getSnapshotXml(domain: DomainRef, name: string, options: XmlOptions = {}): Promise<string> {
    throwIfAborted(options.signal)
    const entry = this.#parts.find(domain)
    const snapshot = (await this.#treeOf(entry)).get(name, entry.name)
    return formatSnapshot(options.secure ? snapshot : { ...snapshot, domain: redactSecrets(snapshot.domain) })
  }

  async revertToSnapshot(
    domain: DomainRef,
    name: string,
    options: RevertSnapshotOptions = {},
  ): Promise<void> {
    await this.#parts.change(domain, 'revert', options, (entry, { signal }) =>
      this.#revert(entry, name, { ...options, signal }),
    )
  }

  async deleteSnapshot(domain: DomainRef, name: string, options: DeleteSnapshotOptions = {}): Promise<void> {
    const { children = 'keep' } = options
    await this.#parts.change(domain, 'delete a snapshot', options, async (entry) => {
      requireReachable(entry)
      const { storage, store } = this.#parts
      const tree = await this.#treeOf(entry)
      const snapshot = tree.get(name, entry.name)
      const descendants = children === 'keep' ? [] : tree.descendants(name)
      const names = children === 'only' ? descendants : [snapshot.name, ...descendants]
      // One that is gone from the storage can be deleted again; one that is there and forgotten cannot.
      let rest = tree
      for (const each of names.toReversed()) {
        const gone = tree.get(each, entry.name)
        await storage.remove({ ...this.#specOf(entry, gone, gone.domain), guest: entry.active?.guest })
        rest = rest.without([each])
        await store.saveSnapshots(entry.uuid, rest.snapshots.length > 0 ? rest.stored : undefined)
      }
    })
  }

  /** `OPERATION_INVALID` where the domain has snapshots. */
  async requireNone(entry: DomainEntry): Promise<void> {
    const { snapshots } = await this.#treeOf(entry)
    if (snapshots.length === 0) return
    throw new VirError('OPERATION_INVALID', `Domain '${entry.name}' has ${snapshots.length} snapshots`, {
      domain: 'DOM',
      hint: `Delete them first, beginning with '${snapshots[0]?.name}' and its children`,
    })
  }

  async #revert(entry: DomainEntry, name: string, options: RevertSnapshotOptions): Promise<void> {
    const { storage, store, keeper, hypervisor, events, requireNoState } = this.#parts
    const { signal } = options
    const definition = requirePersistent(entry)
    requireReachable(entry)
    await requireNoState(entry)
    const tree = await this.#treeOf(entry)
    const snapshot = tree.get(name, entry.name)
    const { id: _, ...then } = snapshot.domain
    const document = hypervisor.prepare({ ...then, name: entry.name, uuid: entry.uuid })
    checkShared(this.#parts, entry, document)
    throwIfAborted(signal)
    await keeper.endForRevert(entry)
    await storage.restore(this.#specOf(entry, snapshot, document), { signal })
    const xml = formatDomain(document)
    if (xml !== formatDomain(definition)) {
      await store.saveDefinition(entry.name, xml)
      entry.definition = document
      events.emit({ type: 'lifecycle', domain: entry.ref, event: 'defined', detail: 'from-snapshot' })
    }
    await store.saveSnapshots(entry.uuid, tree.at(name).stored)
    entry.state = { state: 'shutoff', reason: 'from-snapshot' }
    const target = targetOf(snapshot, options)
    if (target === 'shutoff') return
    const memory = snapshot.memory?.snapshot === 'internal' ? name : undefined
    await keeper.launch(entry, document, { paused: target === 'paused', snapshot: { memory }, signal })
  }

  /** The document of a snapshot that is about to be taken. */
  #complete(wanted: SnapshotXml, entry: DomainEntry, tree: SnapshotTree, diskOnly: boolean): TakenSnapshot {
    const { clock, storage } = this.#parts
    const creationTime = Math.floor(clock.now() / 1000)
    const name = wanted.name ?? freeName(String(creationTime), tree)
    checkPathName(name, 'A snapshot', 'DOMAIN_SNAPSHOT')
    if (tree.find(name)) {
      throw new VirError('OPERATION_INVALID', `Domain '${entry.name}' has a snapshot '${name}' already`, {
        domain: 'DOMAIN_SNAPSHOT',
        hint: 'Choose another name, or delete that one first',
      })
    }
    const asked = wanted.memory?.snapshot
    if (asked === 'external' || wanted.disks?.disks.some((disk) => disk.snapshot === 'external'))
      throw unsupported('Snapshots in files of their choice are not supported here', "Leave out 'external'")
    if (asked === 'internal' && !(storage.savesMemory && entry.active))
      throw unsupported(
        `The memory of '${entry.name}' cannot be saved`,
        'Leave out <memory>: a snapshot of the storage is taken at one moment all the same',
      )
    const memory = entry.active !== undefined && storage.savesMemory && !diskOnly && asked !== 'no'
    const activeState = entry.state.state === 'paused' ? 'paused' : 'running'
    const state = memory ? activeState : entry.active ? 'disk-snapshot' : 'shutoff'
    const { current } = tree
    return {
      ...wanted,
      name,
      state,
      creationTime,
      parent: current === undefined ? undefined : { name: current },
      memory: { ...wanted.memory, snapshot: memory ? 'internal' : 'no' },
      domain: entry.active?.document ?? entry.inactiveDocument,
    } as TakenSnapshot
  }

  #specOf(entry: DomainEntry, { name }: TakenSnapshot, document: DomainXml): SnapshotSpec {
    const { places, logger } = this.#parts
    return { domain: entry.ref, document, places: places.of(entry.ref), snapshot: name, logger }
  }

  async #treeOf({ uuid }: DomainEntry): Promise<SnapshotTree> {
    const found = await this.#parts.store.loadSnapshots(uuid)
    return found ? SnapshotTree.of(found) : new SnapshotTree([], undefined)
  }
}

function infoOf(snapshot: TakenSnapshot, current: string | undefined): SnapshotInfo {
  const { name, description, parent, state, creationTime = 0 } = snapshot
  return {
    name,
    state: state as SnapshotInfo['state'],
    createdAt: creationTime * 1000,
    current: name === current,
    ...(description !== undefined && { description }),
    ...(parent && { parent: parent.name }),
  }
}

/** In what state the domain is to be after a revert. */
function targetOf(
  { state }: TakenSnapshot,
  options: RevertSnapshotOptions,
): 'running' | 'paused' | 'shutoff' {
  if (options.paused) return 'paused'
  if (options.running) return 'running'
  return state === 'running' || state === 'paused' ? state : 'shutoff'
}

function freeName(time: string, tree: SnapshotTree): string {
  let name = time
  for (let count = 2; tree.find(name); count++) name = `${time}-${count}`
  return name
}

function unsupported(message: string, hint: string): VirError {
  return new VirError('CONFIG_UNSUPPORTED', message, { domain: 'DOMAIN_SNAPSHOT', hint })
}
