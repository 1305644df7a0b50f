import { readdir, readFile, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Container } from '../native.js'
import { cgroupMounts } from './host-facts.js'

const lockRoot = '/run/lxc/lock'
const linkPatienceMs = 2000

/**
 * Removes what a container that has ended may have left on the host: control groups (of a monitor that was
 * killed), its configuration and its lock; and waits until the kernel has taken its network links down.
 * Nothing of it may run any more.
 */
export async function removeLeftovers(container: Container, links: readonly string[]): Promise<void> {
  await Promise.all([
    removeCgroups(container.name),
    rm(join(container.path, container.name), { recursive: true, force: true }),
    removeLock(container),
    ...links.map(awaitLinkGone),
  ])
}

/** liblxc appends a number where a name is taken. Groups with processes in them stay: they are somebody else's. */
async function removeCgroups(name: string): Promise<void> {
  const mounts = new Set(cgroupMounts(await readFile('/proc/self/mountinfo', 'utf8')).values())
  const isOurs = (entry: string) =>
    ['lxc.monitor.', 'lxc.payload.'].some(
      (prefix) =>
        entry.startsWith(prefix + name) && /^(-\d+)?$/.test(entry.slice(prefix.length + name.length)),
    )
  for (const mount of mounts)
    for (const entry of await entries(mount)) if (isOurs(entry)) await removeCgroup(join(mount, entry))
}

async function removeCgroup(directory: string): Promise<void> {
  const children = await readdir(directory, { withFileTypes: true }).catch(() => [])
  for (const child of children) if (child.isDirectory()) await removeCgroup(join(directory, child.name))
  await rmdir(directory).catch(() => {})
}

/** liblxc never removes the file that it locks for a container. */
async function removeLock({ path, name }: Container): Promise<void> {
  const directory = join(lockRoot, path)
  await rm(join(directory, `.${name}`), { force: true })
  await removeEmptyDirectories(directory, lockRoot)
}

/** Removes `directory` and its parents below `root`, up to the first that is not empty. */
export async function removeEmptyDirectories(directory: string, root: string): Promise<void> {
  for (let each = directory; each.startsWith(`${root}/`); each = dirname(each)) {
    try {
      await rmdir(each)
    } catch {
      return
    }
  }
}

/** The kernel removes a network namespace, and with it the pairs that lead into it, some time after its last process. */
async function awaitLinkGone(name: string): Promise<void> {
  const deadline = Date.now() + linkPatienceMs
  while ((await entries('/sys/class/net')).includes(name)) {
    if (Date.now() > deadline) return
    await delay(2)
  }
}

function entries(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => [])
}
