import { realpath } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { abortError, type CallOptions, messageOf, throwIfAborted, VirError } from '@covirt/core'
import { spawnTool } from '../native.js'

const sigkill = 9
/** Of a program's complaints only the end is kept: there may be one for each file. */
const keptCharacters = 4096

/**
 * Resolves once all that has been written in the file system of `path` survives a loss of power (syncfs(2)). Needs GNU
 * sync(1).
 */
export async function syncFileSystem(path: string): Promise<void> {
  await run('sync', ['--file-system', '--', path], `Cannot sync ${path}`, undefined)
}

/**
 * Copies a directory, or that which a link leads to, with all that is in it to `to`, which must not exist: owners, modes, times, hard links, holes,
 * extended attributes and special files included, and without what is mounted in it. Shares the data where the file
 * system can (ioctl_ficlone(2)). Needs GNU cp(1), and root for files of others. On rejection part of it may be there.
 */
export async function copyTree(from: string, to: string, { signal }: CallOptions = {}): Promise<void> {
  throwIfAborted(signal)
  const flags = ['--archive', '--reflink=auto', '--one-file-system', '--no-target-directory']
  // What is not there cp complains of.
  const tree = await realpath(from).catch(() => from)
  await run('cp', [...flags, '--', tree, to], `Cannot copy ${from}`, signal)
}

/** Not by Node's own means: those copy the page tables of this process, which takes longer than many a copy. */
async function run(
  program: string,
  args: readonly string[],
  failure: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    const { stdio, exited, kill } = spawnTool(program, args, ['null', 'null', 'write'])
    const stop = () => kill(sigkill)
    signal?.addEventListener('abort', stop, { once: true })
    try {
      const [, , messages] = stdio
      const [end, complaint] = await Promise.all([exited, messages ? endOf(messages) : ''])
      if (signal?.aborted) throw abortError(signal)
      if ('code' in end && end.code === 0) return
      throw new Error(complaint.trim().split('\n').at(-1) || `${program} did not say why`)
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  } catch (cause) {
    if (cause instanceof VirError) throw cause
    throw new VirError('OPERATION_FAILED', `${failure}: ${messageOf(cause)}`, { cause })
  }
}

async function endOf(messages: Readable): Promise<string> {
  let end = ''
  for await (const chunk of messages.setEncoding('utf8')) end = `${end}${chunk}`.slice(-keptCharacters)
  return end
}
