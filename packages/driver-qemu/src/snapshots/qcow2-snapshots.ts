import { stat } from 'node:fs/promises'
import { type CallOptions, type DomainRef, throwIfAborted, VirError } from '@covirt/core'
import {
  type Guest,
  type SnapshotSpec,
  type StorageSnapshots,
  type TakeSnapshotSpec,
  UndoStack,
} from '@covirt/local'
import { planGuest } from '../command-line/guest-plan.js'
import { QemuGuest } from '../qemu-guest.js'
import { disksWithSnapshots, type SnapshotDisk, snapshotDisks, unsupported } from './qcow2-disks.js'
import { changeImage, listTags } from './qemu-img.js'
import { finishRevert, revertImages } from './revert-note.js'
import { changeDisks, runMemoryJob } from './snapshot-job.js'
import { tagOf } from './tag.js'

/** Snapshots within the qcow2 images of a domain: of its disks, and of a guest's memory beside the first of them. */
export class Qcow2Snapshots implements StorageSnapshots {
  readonly savesMemory = true

  async take(spec: TakeSnapshotSpec, options: CallOptions): Promise<void> {
    const { guest, memory, snapshot, domain } = spec
    const disks = guest ? snapshotDisks(guest.document) : disksOf(spec)
    const tag = tagOf(snapshot)
    if (memory && disks.length === 0)
      throw unsupported(
        `Domain '${domain.name}' has no disk that the memory of its guest could be kept on`,
        'Leave out the memory (--disk-only), or give it a qcow2 disk',
      )
    if (!guest) await finishRevert(spec)
    await this.#drop(disks, tag, guest)
    throwIfAborted(options.signal)
    if (guest) await takeLive(guest, { disks, tag, memory })
    else await takeOff(spec, { disks, tag }, options)
  }

  async restore(spec: SnapshotSpec, options: CallOptions): Promise<void> {
    const disks = disksOf(spec)
    const tag = tagOf(spec.snapshot)
    await finishRevert(spec)
    for (const { path, target } of disks)
      if (!(await listTags(path, options)).includes(tag)) throw lost(spec.domain, spec.snapshot, target)
    throwIfAborted(options.signal)
    await revertImages(spec, { tag, paths: disks.map(({ path }) => path) })
  }

  async remove(spec: SnapshotSpec & { readonly guest?: Guest | undefined }): Promise<void> {
    if (!spec.guest) await finishRevert(spec)
    await this.#drop(disksOf(spec), tagOf(spec.snapshot), spec.guest)
  }

  /** Removes a snapshot from the disks that have it. */
  async #drop(disks: readonly SnapshotDisk[], tag: string, guest: Guest | undefined): Promise<void> {
    const used = guest ? disksWithSnapshots(guest.document) : []
    for (const { path } of disks) {
      if (!(await exists(path)) || !(await listTags(path)).includes(tag)) continue
      const live = used.filter((disk) => disk.path === path)
      if (guest && live.length > 0)
        await qemuGuest(guest).use('Removing a snapshot', ({ monitor }) =>
          changeDisks('blockdev-snapshot-delete-internal-sync', { monitor, tag, disks: live }),
        )
      else await changeImage('remove', path, tag)
    }
  }
}

interface Taken {
  readonly disks: readonly SnapshotDisk[]
  readonly tag: string
}

/** Not to be cancelled: QEMU would finish it all the same. */
async function takeLive(
  guest: Guest,
  { disks, tag, memory }: Taken & { readonly memory: boolean },
): Promise<void> {
  if (disks.length === 0) return
  await qemuGuest(guest).use('Taking a snapshot', async ({ monitor, clock }) => {
    if (memory) await runMemoryJob('snapshot-save', { monitor, clock, tag, disks })
    else await changeDisks('blockdev-snapshot-internal-sync', { monitor, tag, disks })
  })
}

async function takeOff({ logger }: SnapshotSpec, { disks, tag }: Taken, options: CallOptions): Promise<void> {
  const undo = new UndoStack(logger)
  try {
    for (const { path } of disks) {
      undo.push(async () => {
        if ((await listTags(path)).includes(tag)) await changeImage('remove', path, tag)
      })
      await changeImage('take', path, tag, options)
    }
  } catch (error) {
    await undo.run()
    throw error
  }
}

function disksOf({ document }: SnapshotSpec): readonly SnapshotDisk[] {
  return snapshotDisks(planGuest(document).domain)
}

function qemuGuest(guest: Guest): QemuGuest {
  if (guest instanceof QemuGuest) return guest
  throw new TypeError('The guest is not one of the QEMU driver')
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

function lost({ name }: DomainRef, snapshot: string, target: string): VirError {
  return new VirError(
    'OPERATION_FAILED',
    `The disk '${target}' of domain '${name}' has not got the snapshot '${snapshot}' any more`,
    { domain: 'DOMAIN_SNAPSHOT', hint: "Was its image replaced? 'qemu-img snapshot -l' lists what it has" },
  )
}
