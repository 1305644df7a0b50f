import { text } from 'node:stream/consumers'
import { getSystemErrorName } from 'node:util'
import { binding } from './binding.js'
import type { Options } from './container.js'
import { LxcError, toLxcError } from './lxc-error.js'
import { parseErrorLine } from './program.js'
import { spawnProgram } from './spawned-program.js'

const sigterm = 15

/**
 * Copies a directory, or that which a link leads to, with all that is in it to `to`, which must not exist: data with its holes,
 * shared where the file system can (ioctl_ficlone(2)), owners, modes, times, hard links, extended attributes and special
 * files. What is mounted in it is left out: its place is there, empty. Nobody else gets into `to` before it is complete. An
 * ordinary user gets what cp(1) gives him. On rejection part of it may be there. The error's message begins with the file that is
 * concerned, and has the system's code.
 */
export function copyTree(from: string, to: string, { signal }: Options = {}): Promise<void> {
  return run('copy', [from, to], signal)
}

/**
 * Removes a directory, if there is one, with all that is in it, of any depth; links are not followed. `EBUSY` where it comes to
 * something that is mounted; part of it may have been removed then.
 */
export function removeTree(path: string): Promise<void> {
  return run('remove', [path], undefined)
}

/** Runs a verb that says nothing but what went wrong. */
async function run(
  operation: string,
  paths: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted()
  try {
    const { stdio, exited, kill } = spawnProgram([operation, ...paths], ['null', 'null', 'write'])
    const stop = () => kill(sigterm)
    signal?.addEventListener('abort', stop, { once: true })
    try {
      const [, , messages] = stdio
      const [end, said] = await Promise.all([exited, messages ? text(messages) : ''])
      signal?.throwIfAborted()
      if (!('code' in end) || end.code !== 0) throw failure(operation, said)
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw toLxcError(error, operation)
  }
}

function failure(operation: string, said: string): LxcError {
  const line = parseErrorLine(said)
  if (!line) return new LxcError(`covirt-lxc ended unexpectedly: ${said}`, { operation })
  return new LxcError(line.message, { operation, code: getSystemErrorName(-line.errno) })
}

/** Takes an exclusive lock on an open file (flock(2)), which ends with that; whether it got it. */
export function lockFile(fd: number): boolean {
  try {
    return binding().lockFile(fd)
  } catch (error) {
    throw toLxcError(error, 'lock')
  }
}

/** Resolves once all that has been written in the file system of `path` survives a loss of power (syncfs(2)). */
export async function syncFileSystem(path: string): Promise<void> {
  try {
    await binding().syncFileSystem(path)
  } catch (error) {
    throw toLxcError(error, 'sync')
  }
}
