import { VirError } from '@covirt/core'
import type { DiskXml, DomainXml } from '@covirt/xml'
import { imageOf } from '../disk-image.js'

/** A disk whose content is part of a snapshot. */
export interface SnapshotDisk {
  readonly target: string
  readonly path: string
  /** QEMU's name for its content while the guest runs. */
  readonly node: string
}

/**
 * The disks that a snapshot of the domain is of: all that the guest can write to. `CONFIG_UNSUPPORTED` where one of them
 * cannot hold snapshots. `document` has aliases.
 */
export function snapshotDisks({ name, os, devices }: DomainXml): readonly SnapshotDisk[] {
  if (os.nvram?.path !== undefined)
    throw unsupported(`Domain '${name}' keeps the variables of its firmware in a file without snapshots`)
  return devices.disks.filter(isWritten).map((disk) => {
    const found = snapshotDisk(disk)
    if (found) return found
    throw unsupported(
      `The disk '${disk.target.dev}' of domain '${name}' cannot hold snapshots`,
      "Only <driver type='qcow2'/> can ('qemu-img convert -O qcow2' makes one); a <readonly/> disk is left out",
    )
  })
}

/** The disks that may have parts of snapshots, also of a domain that none can be taken of any more. */
export function disksWithSnapshots({ devices }: DomainXml): readonly SnapshotDisk[] {
  return devices.disks.filter(isWritten).flatMap((disk) => snapshotDisk(disk) ?? [])
}

function isWritten({ device, readonly }: DiskXml): boolean {
  return device !== 'cdrom' && readonly !== true
}

function snapshotDisk(disk: DiskXml): SnapshotDisk | undefined {
  const path = imageOf(disk)
  if (disk.driver?.type !== 'qcow2' || path === undefined) return undefined
  return { target: disk.target.dev, path, node: `${disk.alias}-format` }
}

/** The error for storage that cannot have snapshots. */
export function unsupported(message: string, hint?: string): VirError {
  return new VirError('CONFIG_UNSUPPORTED', message, {
    domain: 'DOMAIN_SNAPSHOT',
    ...(hint !== undefined && { hint }),
  })
}
