import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { FileHandle } from 'node:fs/promises'
import { messageOf, VirError } from '@covirt/core'

/**
 * Takes an exclusive lock on an open file (flock(2)): it ends with the file, or with the process, however that ends.
 * Whether it got it; `NO_CONNECT` where that cannot be tried.
 *
 * Node has no flock(2). The lock belongs to the open file, not to the process that asked for it: flock(1), to
 * whom the descriptor is passed, takes it for us and ends.
 */
export async function tryLockFile({ fd }: FileHandle): Promise<boolean> {
  const child = spawn('flock', ['--exclusive', '--nonblock', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', fd],
  })
  try {
    const [status] = (await once(child, 'exit')) as [number | null]
    return status === 0
  } catch (cause) {
    throw new VirError('NO_CONNECT', `Cannot run flock(1): ${messageOf(cause)}`, {
      cause,
      hint: 'Install util-linux',
    })
  }
}
