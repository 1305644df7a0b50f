import { open } from 'node:fs/promises'
import { VirError } from '@covirt/core'
import type { DomainXml } from '@covirt/xml'
import { sourcePath } from '../config/mounts.js'

/** By which bytes, and where, a file system is told from others: the superblocks of Linux's file systems. */
const signatures: readonly (readonly [type: string, offset: number, bytes: string])[] = [
  ['ext4', 0x438, '53ef'],
  ['xfs', 0, '58465342'],
  ['btrfs', 0x10040, '5f42485266535f4d'],
  ['squashfs', 0, '68737173'],
  ['erofs', 0x400, 'e2e1f5e0'],
  ['f2fs', 0x400, '1020f5f2'],
]
const headBytes = 0x10048

/** The type of the file system that begins so; `undefined` for none that is known. */
export function imageType(head: Buffer): string | undefined {
  return signatures.find(
    ([, offset, bytes]) => head.toString('hex', offset, offset + bytes.length / 2) === bytes,
  )?.[0]
}

/** A file or block device that holds a file system as it is mounted. */
export interface RawImage {
  readonly path: string
  readonly fileSystem: string
}

/**
 * A definition's images and block devices, by their paths.
 *
 * @param exported images of other formats, by the raw files that show them
 */
export async function rawImages(
  document: DomainXml,
  exported: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, RawImage>> {
  const images = new Map<string, RawImage>()
  for (const filesystem of document.devices.filesystems) {
    const path = sourcePath(filesystem)
    if ((filesystem.type !== 'file' && filesystem.type !== 'block') || path === undefined) continue
    const raw = exported.get(path) ?? path
    images.set(path, { path: raw, fileSystem: await typeOf(raw) })
  }
  return images
}

async function typeOf(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { buffer } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
    const type = imageType(buffer)
    if (type !== undefined) return type
  } finally {
    await file.close()
  }
  throw new VirError('OPERATION_FAILED', `${path} holds no file system that is known`, {
    domain: 'LXC',
    hint: `Make one in it, such as ext4 (mkfs.ext4 ${path}); partitions are not looked for`,
  })
}
