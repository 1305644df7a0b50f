import { chmod, copyFile, link, lstat, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { messageOf, VirError } from '@covirt/core'
import type { UndoStack } from '@covirt/local'

/** The file that a firmware keeps its variables in, and what it is made from where there is none. */
export interface FirmwareVariables {
  readonly path: string
  readonly template: string
}

/**
 * Makes the file of a domain's firmware variables where there is none; one that is there is kept. Whenever this
 * process dies, there is all of the file or none, and the domain's next start clears what is left of the copy.
 * `undo` removes the file if it was made here.
 */
export async function makeVariables(
  { path, template }: FirmwareVariables,
  uuid: string,
  undo: UndoStack,
): Promise<void> {
  // A domain starts once at a time, so that nobody else writes to this one.
  const part = `${path}.${uuid}.part`
  try {
    await rm(part, { force: true })
    if (await exists(path)) return
    await copyFile(template, part)
    await chmod(part, 0o600)
    await sync(part)
    // Unlike a rename, a link replaces nothing that somebody has put there meanwhile.
    await link(part, path)
    undo.push(() => rm(path, { force: true }))
    await sync(dirname(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    throw new VirError('OPERATION_FAILED', `<nvram> '${path}' could not be made: ${messageOf(error)}`, {
      domain: 'QEMU',
      cause: error,
      hint: `Is the template '${template}' there, and the directory with room for a copy of it?`,
    })
  } finally {
    await rm(part, { force: true })
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
