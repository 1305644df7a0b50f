import { existsSync } from 'node:fs'
import { removeMonitorCgroups } from './cgroups.js'
import type { Container } from './container.js'

/** Programs that have started a container and are about to end, by its lxcpath and name. */
const starters = new Map<string, Promise<void>>()

/**
 * Until it ends, in a millisecond or so, the program that has started a container is next to its monitor, in these groups
 * (`/proc/PID/cgroup`): if the container ends before, the monitor cannot remove them, so it is done here.
 */
export function seeOff(
  container: Container,
  exited: Promise<unknown>,
  { initPid, cgroup }: { readonly initPid: number; readonly cgroup: string },
): void {
  const key = keyOf(container)
  const gone = exited.then(async () => {
    // A monitor that has yet to clean up does it alone now.
    if (!existsSync(`/proc/${initPid}`)) await removeMonitorCgroups(cgroup)
    if (starters.get(key) === gone) starters.delete(key)
  })
  starters.set(key, gone)
}

/** Resolves once the program of an earlier start has gone, and its groups with it where nothing else is in them. */
export async function starterGone(container: Container): Promise<void> {
  await starters.get(keyOf(container))
}

function keyOf({ path, name }: Container): string {
  return `${path}/${name}`
}
