import { existsSync } from 'node:fs'
import { readlink, realpath, rename } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { type CallOptions, messageOf, syncDirectory, VirError } from '@covirt/core'
import { mountPointsIn } from '@covirt/local'
import { copyTree, removeTree, syncFileSystem } from './trees.js'

/** As many as the kernel follows (path_resolution(7)). */
const mostLinks = 40

/** What takes the place of a tree, and what it was: beside it, as only that can be renamed. */
const incoming = (tree: string) => `${tree}.covirt-new`
const outgoing = (tree: string) => `${tree}.covirt-old`

/**
 * Puts a copy of the directory `source` in place of the directory `path`, or of that which this is a link to. All of it or
 * nothing: where the process dies meanwhile {@link settleTree} makes it so.
 */
export async function swapTree(path: string, source: string, { signal }: CallOptions): Promise<void> {
  const tree = await placeOf(path)
  const [mounted] = await mountPointsIn(tree)
  if (mounted !== undefined) throw inTheWay(tree, `${mounted} is mounted`)
  await settleTree(tree)
  try {
    await copyTree(source, incoming(tree), { signal })
    // Names may be on the disk before what they name is.
    await syncFileSystem(incoming(tree))
    await rename(tree, outgoing(tree))
    await rename(incoming(tree), tree)
  } catch (error) {
    await settleTree(tree)
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error
    throw inTheWay(tree, messageOf(error))
  }
  await syncDirectory(dirname(tree))
  await removeTree(outgoing(tree))
}

function inTheWay(tree: string, why: string): VirError {
  return new VirError('OPERATION_FAILED', `Cannot replace ${tree}: ${why}`, {
    domain: 'LXC',
    hint: `Unmount it; a root file system is a directory that nothing is mounted in (in ${dirname(tree)} nothing is changed)`,
  })
}

/** Finishes or undoes a {@link swapTree} that was cut off. */
export async function settleTree(path: string): Promise<void> {
  const tree = await placeOf(path)
  if (!existsSync(tree) && existsSync(outgoing(tree))) {
    // The copy is complete as soon as the old tree has made way for it.
    await rename(existsSync(incoming(tree)) ? incoming(tree) : outgoing(tree), tree)
  }
  await removeTree(incoming(tree))
  await removeTree(outgoing(tree))
}

/** Where links lead, also while nothing is there. */
async function placeOf(path: string): Promise<string> {
  let place = path
  for (let links = 0; links < mostLinks; links++) {
    place = join(await realpath(dirname(place)).catch(() => dirname(place)), basename(place))
    const target = await readlink(place).catch(() => undefined)
    if (target === undefined) return place
    place = resolve(dirname(place), target)
  }
  return path
}
