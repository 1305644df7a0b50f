import { randomBytes } from 'node:crypto'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { open, rename, rm, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type CallOptions, syncDirectory, throwIfAborted } from '@covirt/core'

/** Marks files that a write in progress has made; a name of a domain never begins so. */
export const temporaryPrefix = '.covirt-tmp-'

/**
 * Writes a file so that a reader, or whoever comes after a loss of power, sees either all of the old content or
 * all of the new. On rejection the old content stands.
 */
export async function writeDurably(path: string, content: string, options: CallOptions): Promise<void> {
  const temporary = temporaryName(path)
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    throwIfAborted(options.signal)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncDirectory(dirname(path))
}

/**
 * As {@link writeDurably}, but for content that need not survive a loss of power, only the end of this process. It
 * touches no disk, so it is done on the spot: a trip to the thread pool would take many times as long.
 */
export function writeAtomically(path: string, content: string): void {
  const temporary = temporaryName(path)
  try {
    writeFileSync(temporary, content, { flag: 'wx', mode: 0o600 })
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** Makes `path` a symbolic link to `target`, as {@link writeDurably} makes files. */
export async function linkDurably(target: string, path: string): Promise<void> {
  const temporary = temporaryName(path)
  try {
    await symlink(target, temporary)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncDirectory(dirname(path))
}

/** Removes a file or link, if it is there, for good. */
export async function removeDurably(path: string): Promise<void> {
  await rm(path, { force: true })
  await syncDirectory(dirname(path))
}

/** Drawn once: the names need to be new, and nobody else may write where they are. */
const ownToken = randomBytes(4).toString('hex')
let temporaries = 0

/** A name beside `path` for a file that is to take its place. */
export function temporaryName(path: string): string {
  return join(dirname(path), `${temporaryPrefix}${ownToken}${(++temporaries).toString(36)}-${basename(path)}`)
}
