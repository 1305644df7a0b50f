import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type CallOptions, messageOf, VirError } from '@covirt/core'
import { copyTree } from '@covirt/local'

/** What takes the place of a tree, and what it was: beside it, as only that can be renamed. */
const incoming = (tree: string) => `${tree}.covirt-new`
const outgoing = (tree: string) => `${tree}.covirt-old`

/**
 * Puts a copy of the directory `source` in place of the directory `tree`. All of it or nothing: where the process dies
 * meanwhile {@link settleTree} makes it so.
 */
export async function swapTree(tree: string, source: string, { signal }: CallOptions): Promise<void> {
  await settleTree(tree)
  try {
    await copyTree(source, incoming(tree), { signal })
    await rename(tree, outgoing(tree))
    await rename(incoming(tree), tree)
  } catch (error) {
    await settleTree(tree)
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error
    throw new VirError('OPERATION_FAILED', `Cannot replace ${tree}: ${messageOf(error)}`, {
      domain: 'LXC',
      hint: `Something is mounted there; use a directory in it as root file system (in ${dirname(tree)} nothing is changed)`,
      cause: error,
    })
  }
  await rm(outgoing(tree), { recursive: true, force: true })
}

/** Finishes or undoes a {@link swapTree} that was cut off. */
export async function settleTree(tree: string): Promise<void> {
  if (!existsSync(tree) && existsSync(outgoing(tree))) {
    // The copy is complete as soon as the old tree has made way for it.
    await rename(existsSync(incoming(tree)) ? incoming(tree) : outgoing(tree), tree)
  }
  await rm(incoming(tree), { recursive: true, force: true })
  await rm(outgoing(tree), { recursive: true, force: true })
}
