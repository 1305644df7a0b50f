import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { abortError, type CallOptions, messageOf, throwIfAborted, VirError } from '@covirt/core'

const tailBytes = 4096

/**
 * Copies a directory with all that is in it to `to`, which must not exist: owners, modes, times, hard links, holes,
 * extended attributes and special files included, and without what is mounted in it. Shares the data where the file
 * system can (ioctl_ficlone(2)). Needs GNU cp(1), and root for files of others. On rejection part of it may be there.
 */
export async function copyTree(from: string, to: string, { signal }: CallOptions = {}): Promise<void> {
  throwIfAborted(signal)
  const flags = ['--archive', '--reflink=auto', '--one-file-system', '--no-target-directory']
  const child = spawn('cp', [...flags, '--', from, to], {
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
    if (status !== 0) throw new Error(complaint.trim().split('\n').at(-1) || 'cp did not say why')
  } catch (cause) {
    if (cause instanceof VirError) throw cause
    throw new VirError('OPERATION_FAILED', `Cannot copy ${from}: ${messageOf(cause)}`, { cause })
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}
