import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import {
  type CallOptions,
  type Driver,
  isVirError,
  type Logger,
  messageOf,
  silentLogger,
  syncDirectory,
} from '@covirt/core'
import { removeTree, requireNothingMounted, tryLockFile, writeDurably } from '@covirt/local'
import { isUsed } from './directory-users.js'
import { isLeft, leavingDirectories, leavingName, leftPrefix } from './leaving-containers.js'

/**
 * Removes the directory of a container once `undefine` has resolved. A process that dies meanwhile has undefined nothing and
 * removed nothing, or {@link finishRemovals} does the rest. `OPERATION_FAILED`, having done nothing, where something is mounted in
 * it. Where `undefine` rejects the directory stays.
 */
export async function removeWithDefinition(
  directory: string,
  uuid: string,
  undefine: () => Promise<void>,
): Promise<void> {
  await requireNothingMounted(directory)
  const marker = join(directory, leavingName)
  await writeDurably(marker, uuid, {})
  await using file = await open(marker)
  await tryLockFile(file)
  try {
    await undefine()
  } catch (error) {
    if (!isUndecided(error)) await rm(marker, { force: true })
    throw error
  }
  await removeLeft(directory)
}

/** It may have happened all the same: whoever finishes removals next sees whether it has. */
function isUndecided(error: unknown): boolean {
  return isVirError(error, 'RPC') || isVirError(error, 'OPERATION_ABORTED')
}

/**
 * Does what processes that have died have left of {@link removeWithDefinition} in `parent`, the directory of the containers of
 * `driver`. Nothing is removed whose domain is still defined, or which another domain uses. Never rejects: what cannot be
 * done is logged, and left to the next one.
 */
export async function finishRemovals(
  parent: string,
  driver: Driver,
  { signal, logger = silentLogger }: CallOptions & { readonly logger?: Logger | undefined },
): Promise<void> {
  for (const directory of leavingDirectories(parent)) {
    try {
      await finishRemoval(directory, driver, { signal })
    } catch (error) {
      logger.warn('The directory of a container that was undefined is left', {
        directory,
        error: messageOf(error),
      })
    }
  }
}

async function finishRemoval(directory: string, driver: Driver, options: CallOptions): Promise<void> {
  const marker = join(directory, leavingName)
  await using file = await openMarker(marker)
  if (file && !(await tryLockFile(file))) return
  if (isLeft(directory)) return removeTree(directory)
  // Whoever held the lock may have done it.
  if (!existsSync(marker)) return
  if (await isDefined(await readFile(marker, 'utf8'), driver, options)) return rm(marker, { force: true })
  if (await isUsed(directory, driver, options)) return rm(marker, { force: true })
  await removeLeft(directory)
}

async function openMarker(marker: string): Promise<FileHandle | undefined> {
  try {
    return await open(marker)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function isDefined(uuid: string, driver: Driver, options: CallOptions): Promise<boolean> {
  // Rejects where containers cannot be used at the moment: that none is listed would mean nothing.
  await driver.getDomainCapabilities({ type: 'lxc' }, options)
  return (await driver.listDomains({}, options)).some((domain) => domain.uuid === uuid)
}

/** Under another name first: from then on it is nobody's, whatever becomes of this process. */
async function removeLeft(directory: string): Promise<void> {
  await requireNothingMounted(directory)
  const parent = dirname(directory)
  const left = join(parent, `${leftPrefix}${basename(directory)}-${randomBytes(4).toString('hex')}`)
  await rename(directory, left)
  await syncDirectory(parent)
  await removeTree(left)
}
