import { existsSync } from 'node:fs'
import { chmod, mkdir, rename, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type CallOptions, VirError } from '@covirt/core'
import type { SnapshotSpec, StorageSnapshots, TakeSnapshotSpec } from '@covirt/local'
import type { DomainXml } from '@covirt/xml'
import { changesDirectory, rootFilesystem, sourceDirectory } from './config/mounts.js'
import { LxcGuest } from './guest/lxc-guest.js'
import { swapTree } from './host/swap-tree.js'
import { copyTree, removeTree, syncFileSystem } from './host/trees.js'

/**
 * Snapshots of containers: copies of their root file systems, or of their changes to a template, which share the data with
 * them where the file system can.
 * What else is mounted in a container is not in them. A container that runs is frozen while it is copied.
 */
export const rootfsSnapshots: StorageSnapshots = {
  savesMemory: false,

  async take(spec: TakeSnapshotSpec, { signal }: CallOptions): Promise<void> {
    const root = rootOf(spec.document)
    const place = placeOf(spec)
    // No snapshot can be named so.
    const unfinished = join(dirname(place), '.covirt-new')
    await mkdir(dirname(place), { recursive: true, mode: 0o700 })
    // Nobody but root may enter: set-user-ID programs in it are root's.
    await chmod(dirname(dirname(place)), 0o700)
    await removeTree(unfinished)
    try {
      await held(spec, () => copyTree(root, unfinished, { signal }))
      await removeTree(place)
      await rename(unfinished, place)
      // Nobody is told of it before this: what is left of one that was cut off is in the way of no other.
      await syncFileSystem(place)
    } catch (error) {
      await removeTree(unfinished)
      await removeTree(place)
      await removeIfEmpty(dirname(place))
      throw error
    }
  },

  async restore(spec: SnapshotSpec, options: CallOptions): Promise<void> {
    await swapTree(rootOf(spec.document), placeOf(spec), options)
  },

  async remove(spec: SnapshotSpec): Promise<void> {
    const place = placeOf(spec)
    const leaving = join(dirname(place), '.covirt-old')
    await removeTree(leaving)
    // Half of it could be reverted to.
    if (existsSync(place)) await rename(place, leaving)
    await removeTree(leaving)
    await removeIfEmpty(dirname(place))
  },
}

/** Does `act` while no process of the container runs. */
async function held({ guest }: TakeSnapshotSpec, act: () => Promise<void>): Promise<void> {
  if (guest instanceof LxcGuest) await guest.hold(act)
  else await act()
}

function placeOf({ places, domain, snapshot }: SnapshotSpec): string {
  return join(places.stateDirectory, 'snapshots', domain.uuid, snapshot)
}

function rootOf(document: DomainXml): string {
  const root = rootFilesystem(document)
  const changes = root && changesDirectory(root)
  if (changes !== undefined) return join(changes, 'data')
  const directory = root && root.type !== 'template' ? sourceDirectory(root) : undefined
  if (directory !== undefined) return directory
  throw new VirError('CONFIG_UNSUPPORTED', `The root of ${document.name} is no directory of the host`, {
    domain: 'LXC',
    hint: "Snapshots are of a <filesystem type='mount'> with <target dir='/'/>",
  })
}

async function removeIfEmpty(directory: string): Promise<void> {
  await rmdir(directory).catch(() => {})
}
