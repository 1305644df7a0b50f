import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { type FileHandle, open, readdir, readFile, rename, rm } from 'node:fs/promises'
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
import { requireNothingMounted, writeDurably } from '@covirt/local'
import { isUsed } from './directory-users.js'
import { isLeft, leavingDirectories, leavingName, leftPrefix } from './leaving-containers.js'
import { lxcDriver } from './lxc-driver.js'

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
  const { tryLockFile } = await lxcDriver()
  tryLockFile(file)
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

/** Where the containers of a driver are, and who tells of them. */
interface ContainerPlace {
  readonly containers: string
  /** Their definitions, by which they are known also where `driver` does not show them. */
  readonly definitions: string
  readonly driver: Driver
}

/**
 * Does what processes that have died have left of {@link removeWithDefinition}. Nothing is removed whose domain is still
 * defined, or which another domain uses. Never rejects: what cannot be done is logged, and left to the next one.
 */
export async function finishRemovals(
  place: ContainerPlace,
  { signal, logger = silentLogger }: CallOptions & { readonly logger?: Logger | undefined },
): Promise<void> {
  for (const directory of leavingDirectories(place.containers)) {
    try {
      await finishRemoval(directory, place, { signal })
    } catch (error) {
      logger.warn('The directory of a container that was undefined is left', {
        directory,
        error: messageOf(error),
      })
    }
  }
}

async function finishRemoval(directory: string, place: ContainerPlace, options: CallOptions): Promise<void> {
  const { removeTree, tryLockFile } = await lxcDriver()
  const marker = join(directory, leavingName)
  await using file = await openMarker(marker)
  if (file && !tryLockFile(file)) return
  if (isLeft(directory)) return removeTree(directory)
  // Whoever held the lock may have done it.
  if (!existsSync(marker)) return
  const isWanted =
    (await isDefined(await readFile(marker, 'utf8'), place, options)) ||
    (await isUsed(directory, place.driver, options))
  await (isWanted ? rm(marker, { force: true }) : removeLeft(directory))
}

async function openMarker(marker: string): Promise<FileHandle | undefined> {
  try {
    return await open(marker)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function isDefined(
  uuid: string,
  { definitions, driver }: ContainerPlace,
  options: CallOptions,
): Promise<boolean> {
  const files = existsSync(definitions) ? await readdir(definitions, { withFileTypes: true }) : []
  for (const file of files)
    if (file.isFile() && (await readFile(join(definitions, file.name), 'utf8')).includes(uuid)) return true
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
  const { removeTree } = await lxcDriver()
  await removeTree(left)
}
