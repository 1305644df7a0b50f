import type { FileHandle } from 'node:fs/promises'
import { messageOf, VirError } from '@covirt/core'
import { lockFile } from '../native.js'

/**
 * Takes an exclusive lock on an open file (flock(2)): it ends with the file, or with the process, however that ends.
 * Whether it got it; `NO_CONNECT` where that cannot be tried.
 */
export function tryLockFile({ fd }: FileHandle): boolean {
  try {
    return lockFile(fd)
  } catch (cause) {
    throw new VirError('NO_CONNECT', messageOf(cause), { cause })
  }
}
