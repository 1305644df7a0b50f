import { lstatSync } from 'node:fs'
import { abortError, type CallOptions, messageOf, throwIfAborted, VirError } from '@covirt/core'
import { requireNothingMounted } from '@covirt/local'
import * as native from '../native.js'

/** Resolves once all that has been written in the file system of `path` survives a loss of power (syncfs(2)). */
export async function syncFileSystem(path: string): Promise<void> {
  try {
    await native.syncFileSystem(path)
  } catch (cause) {
    throw new VirError('OPERATION_FAILED', `Cannot sync ${path}: ${messageOf(cause)}`, { cause })
  }
}

/**
 * Copies a directory, or that which a link leads to, with all that is in it to `to`, which must not exist: owners, modes, times, hard
 * links, holes, extended attributes and special files included, and without what is mounted in it. Shares the data where the
 * file system can (ioctl_ficlone(2)). Needs root for files of others. On rejection part of it may be there.
 */
export async function copyTree(from: string, to: string, { signal }: CallOptions = {}): Promise<void> {
  throwIfAborted(signal)
  try {
    await native.copyTree(from, to, { signal })
  } catch (cause) {
    if (signal?.aborted) throw abortError(signal)
    throw new VirError('OPERATION_FAILED', `Cannot copy ${from}: ${messageOf(cause)}`, { cause })
  }
}

/**
 * Removes a directory with all that is in it, of any depth; does nothing where there is none. `OPERATION_FAILED`, having removed
 * nothing, where something is mounted in it.
 */
export async function removeTree(directory: string): Promise<void> {
  if (!lstatSync(directory, { throwIfNoEntry: false })) return
  await requireNothingMounted(directory)
  try {
    await native.removeTree(directory)
  } catch (cause) {
    throw new VirError('OPERATION_FAILED', `Cannot remove ${messageOf(cause)}`, { cause })
  }
}
