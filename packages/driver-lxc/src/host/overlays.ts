import { chmod, chown, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DomainXml } from '@covirt/xml'
import { changesDirectory, overlayBase } from '../config/mounts.js'
import type { Container } from '../native.js'
import { settleTree } from './swap-tree.js'
import { removeTree } from './trees.js'

/** Where a container's changes to a template go that are thrown away when it ends: removed with its other leftovers. */
export function ephemeralDirectory({ path, name }: Container, index: number): string {
  return join(path, name, `changes${index}`)
}

/** Makes the directories ready that changes to templates go to. */
export async function prepareOverlays(document: DomainXml, container: Container): Promise<void> {
  for (const [index, filesystem] of document.devices.filesystems.entries()) {
    const base = overlayBase(filesystem)
    if (base === undefined) continue
    const kept = changesDirectory(filesystem)
    const directory = kept ?? ephemeralDirectory(container, index)
    if (kept === undefined) await removeTree(directory)
    // Nobody but root may enter: set-user-ID programs in it are root's.
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await mkdir(join(directory, 'work'), { recursive: true })
    await makeTop(join(directory, 'data'), base)
  }
}

/** The root of what is changed, seen in place of that of the template: it has the same owner and mode. */
async function makeTop(data: string, base: string): Promise<void> {
  await settleTree(data)
  const made = await mkdir(data, { recursive: true })
  if (made === undefined) return
  const { uid, gid, mode } = await stat(base)
  await chown(data, uid, gid)
  await chmod(data, mode & 0o7777)
}
