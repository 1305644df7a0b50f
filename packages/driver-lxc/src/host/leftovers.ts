import { readdir, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
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
  /** Where its images of other formats are shown as raw ones. */
  readonly imagesDirectory: string
}

/**
 * Removes what a container that has ended may have left on the host: control groups (of a monitor that was
 * killed), its configuration and its lock, what showed its images; and waits until the kernel has taken its network
 * links down. Nothing of it may run any more.
 */
export async function removeLeftovers(
  container: Container,
  { links, imagesDirectory }: Leftovers,
): Promise<void> {
  await Promise.all([
    removeControlGroups(controlGroupsOf(container)),
    rm(join(container.path, container.name), { recursive: true, force: true }),
    removeLock(container),
    endExports(imagesDirectory),
    ...links.map(awaitLinkGone),
  ])
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
