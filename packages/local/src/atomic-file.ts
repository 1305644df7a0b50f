import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type CallOptions, throwIfAborted } from '@covirt/core'

/** Marks files that a write in progress has made; a name of a domain never begins so. */
export const temporaryPrefix = '.covirt-tmp-'

/** How a file is written. */
export interface WriteOptions extends CallOptions {
  /** Make it survive a loss of power, not only the end of this process. */
  readonly durable: boolean
}

/**
 * Writes a file so that a reader, or whoever comes after a crash, sees either all of the old content or all
 * of the new. On rejection the old content stands.
 */
export async function writeAtomically(path: string, content: string, options: WriteOptions): Promise<void> {
  const temporary = join(
    dirname(path),
    `${temporaryPrefix}${randomBytes(6).toString('hex')}-${basename(path)}`.slice(0, 250),
  )
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(content)
      if (options.durable) await file.sync()
    } finally {
      await file.close()
    }
    throwIfAborted(options.signal)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  if (options.durable) await syncDirectory(dirname(path))
}

/** Makes the entries of a directory (names added, renamed, removed) survive a loss of power. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
