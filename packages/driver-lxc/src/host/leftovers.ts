import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Logger, messageOf } from '@covirt/core'
import { writeDurably } from '@covirt/local'
import type { Container } from '../native.js'
import { controlGroupsOf, removeControlGroups } from './control-groups.js'
import { endExports } from './image-exports.js'

const runRoot = '/run/lxc'
const lockRoot = `${runRoot}/lock`
const linkPatienceMs = 2000

/** What a container may leave besides what its name tells. */
export interface Leftovers {
  /** The names of its links on the host. */
  readonly links: readonly string[]
  /** Where its images of other formats are shown as raw ones, where that is known. */
  readonly imagesDirectory?: string | undefined
}

/** In the directory of a container that has ended: what could not be removed of it. */
const noteName = 'leftovers.json'

/**
 * Removes what a container that has ended may have left on the host: control groups (of a monitor that was
 * killed), its configuration and its lock, what showed its images; and waits until the kernel has taken its network
 * links down. Nothing of it may run any more. What cannot be removed is logged and noted for {@link retryLeftovers}.
 */
export async function clearUp(container: Container, leftovers: Leftovers, logger: Logger): Promise<void> {
  try {
    await removeLeftovers(container, leftovers)
  } catch (error) {
    logger.error('Something of a container is left; its next start and the next open try again', {
      container: container.name,
      error: messageOf(error),
    })
    await noteLeftovers(container, leftovers).catch((failure: unknown) =>
      logger.error('What is left of a container is not noted', { error: messageOf(failure) }),
    )
  }
}

/**
 * Removes what could not be removed when a container of this name ended, if anything: rejects where it still cannot.
 */
export async function retryLeftovers(container: Container): Promise<void> {
  const noted = await readNote(container)
  if (!noted) return
  try {
    await removeLeftovers(container, noted)
  } catch (error) {
    // The note went with what else could be removed.
    await noteLeftovers(container, noted)
    throw error
  }
}

/** {@link retryLeftovers} of all containers of `path`; failures are logged. */
export async function retryAllLeftovers(path: string, logger: Logger): Promise<void> {
  const retry = (name: string) =>
    retryLeftovers({ path, name }).catch((error: unknown) =>
      logger.error('Something of a container is left', { container: name, error: messageOf(error) }),
    )
  await Promise.all((await entries(path)).map(retry))
}

async function noteLeftovers({ path, name }: Container, leftovers: Leftovers): Promise<void> {
  await mkdir(join(path, name), { recursive: true, mode: 0o711 })
  await writeDurably(join(path, name, noteName), JSON.stringify(leftovers), {})
}

/** That there is none, as nearly always, is seen without a turn of the thread pool. One that is damaged tells only that something is left. */
async function readNote({ path, name }: Container): Promise<Leftovers | undefined> {
  const note = join(path, name, noteName)
  if (!existsSync(note)) return undefined
  try {
    return JSON.parse(await readFile(note, 'utf8')) as Leftovers
  } catch {
    return { links: [] }
  }
}

async function removeLeftovers(container: Container, { links, imagesDirectory }: Leftovers): Promise<void> {
  const all = await Promise.allSettled([
    removeControlGroups(controlGroupsOf(container)),
    rm(join(container.path, container.name), { recursive: true, force: true }),
    removeLock(container),
    imagesDirectory === undefined ? undefined : endExports(imagesDirectory),
    ...links.map(awaitLinkGone),
  ])
  // Not before all of it has ended: a start makes things of the same names.
  for (const each of all) if (each.status === 'rejected') throw each.reason
}

/** liblxc never removes the file that it locks for a container. Its directory stays: another one may be about to use it. */
async function removeLock({ path, name }: Container): Promise<void> {
  await rm(join(lockRoot, path, `.${name}`), { force: true })
}

/** Removes what liblxc has made in /run for the containers of `path`, as far as none of them is left. */
export async function removeRunDirectories(path: string): Promise<void> {
  await removeEmptyDirectories(join(lockRoot, path), lockRoot)
  await removeEmptyDirectories(join(runRoot, path), runRoot)
}

/** Removes `directory` and its parents below `root`, up to the first that is not empty. */
async function removeEmptyDirectories(directory: string, root: string): Promise<void> {
  for (let each = directory; each.startsWith(`${root}/`); each = dirname(each)) {
    try {
      await rmdir(each)
    } catch {
      return
    }
  }
}

/** The kernel removes a network namespace, and with it the pairs that lead into it, some time after its last process. */
export async function awaitLinkGone(name: string): Promise<void> {
  const deadline = Date.now() + linkPatienceMs
  while ((await entries('/sys/class/net')).includes(name)) {
    if (Date.now() > deadline) return
    await delay(2)
  }
}

function entries(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => [])
}
