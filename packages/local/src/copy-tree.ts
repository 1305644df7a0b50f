import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { abortError, type CallOptions, messageOf, throwIfAborted, VirError } from '@covirt/core'

const tailBytes = 4096

/**
 * Resolves once all that has been written in the file system of `path` survives a loss of power (syncfs(2)). Needs GNU
 * sync(1).
 */
export async function syncFileSystem(path: string): Promise<void> {
  await run('sync', ['--file-system', '--', path], `Cannot sync ${path}`, undefined)
}

/**
 * Copies a directory with all that is in it to `to`, which must not exist: owners, modes, times, hard links, holes,
 * extended attributes and special files included, and without what is mounted in it. Shares the data where the file
 * system can (ioctl_ficlone(2)). Needs GNU cp(1), and root for files of others. On rejection part of it may be there.
 */
export async function copyTree(from: string, to: string, { signal }: CallOptions = {}): Promise<void> {
  throwIfAborted(signal)
  const flags = ['--archive', '--reflink=auto', '--one-file-system', '--no-target-directory']
  await run('cp', [...flags, '--', from, to], `Cannot copy ${from}`, signal)
}

async function run(
  program: string,
  args: readonly string[],
  failure: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  })
  const stop = () => void child.kill('SIGKILL')
  signal?.addEventListener('abort', stop, { once: true })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = `${complaint}${chunk}`.slice(-tailBytes)
  })
  try {
    const [status] = await once(child, 'close')
    if (signal?.aborted) throw abortError(signal)
    if (status !== 0) throw new Error(complaint.trim().split('\n').at(-1) || `${program} did not say why`)
  } catch (cause) {
    if (cause instanceof VirError) throw cause
    throw new VirError('OPERATION_FAILED', `${failure}: ${messageOf(cause)}`, { cause })
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}
