import { VirError } from '@covirt/core'
import { formatDomain, formatSnapshot, parseDomain, parseSnapshot, type SnapshotXml } from '@covirt/xml'
import type { StoredSnapshots } from './domain-store.js'

/** A snapshot that has been taken. */
export type TakenSnapshot = SnapshotXml & {
  readonly name: string
  readonly state: NonNullable<SnapshotXml['state']>
  readonly domain: NonNullable<SnapshotXml['domain']>
}

/** The snapshots of one domain; each change makes a new tree. */
export class SnapshotTree {
  /** In the order in which they were taken: parents before their children. */
  readonly snapshots: readonly TakenSnapshot[]
  /** That which the domain's storage goes back to: what was last taken or reverted to. */
  readonly current: string | undefined

  constructor(snapshots: readonly TakenSnapshot[], current: string | undefined) {
    this.snapshots = snapshots
    this.current = snapshots.some(({ name }) => name === current) ? current : undefined
  }

  static of({ current, taken }: StoredSnapshots): SnapshotTree {
    const snapshots = taken.map(({ document, definition }) => ({
      ...parseSnapshot(document),
      domain: parseDomain(definition),
    }))
    return new SnapshotTree(snapshots as readonly TakenSnapshot[], current)
  }

  /** What {@link SnapshotTree.of} makes the same tree from. */
  get stored(): StoredSnapshots {
    const taken = this.snapshots.map((snapshot) => ({
      document: formatSnapshot({ ...snapshot, domain: undefined }),
      definition: formatDomain(snapshot.domain),
    }))
    return { current: this.current, taken }
  }

  find(name: string): TakenSnapshot | undefined {
    return this.snapshots.find((snapshot) => snapshot.name === name)
  }

  /** The snapshot of this name; `NO_DOMAIN_SNAPSHOT` where there is none. */
  get(name: string, domain: string): TakenSnapshot {
    const found = this.find(name)
    if (found) return found
    throw new VirError('NO_DOMAIN_SNAPSHOT', `Domain '${domain}' has no snapshot '${name}'`, {
      domain: 'DOMAIN_SNAPSHOT',
    })
  }

  /** With `snapshot` as a child of the current one, and as the current one. */
  grow(snapshot: TakenSnapshot): SnapshotTree {
    return new SnapshotTree([...this.snapshots, snapshot], snapshot.name)
  }

  /** With another current one. */
  at(current: string): SnapshotTree {
    return new SnapshotTree(this.snapshots, current)
  }

  /** The names of all that descend from this one, parents first. */
  descendants(name: string): readonly string[] {
    const family = new Set([name])
    for (const { name: each, parent } of this.snapshots)
      if (parent && family.has(parent.name)) family.add(each)
    return [...family].slice(1)
  }

  /**
   * Without these: children that stay become those of the nearest ancestor that stays, and so does being the
   * current one.
   */
  without(names: readonly string[]): SnapshotTree {
    const staying = (name: string | undefined): string | undefined =>
      name !== undefined && names.includes(name) ? staying(this.find(name)?.parent?.name) : name
    const snapshots = this.snapshots
      .filter(({ name }) => !names.includes(name))
      .map((snapshot): TakenSnapshot => {
        const parent = staying(snapshot.parent?.name)
        if (parent === snapshot.parent?.name) return snapshot
        return { ...snapshot, parent: parent === undefined ? undefined : { name: parent } }
      })
    return new SnapshotTree(snapshots, staying(this.current))
  }
}
