import { askFrozen, isFrozen } from './cgroups.js'
import type { Container, Options } from './container.js'
import { watchPidfd } from './exit.js'
import { monitorCall } from './monitor-call.js'
import { initPid } from './queries.js'
import { starterGone } from './starters.js'

const SIGKILL = 9

/**
 * Kills the container (`lxc.signal.stop`, by default SIGKILL to init), also when it is frozen, and resolves once
 * its monitor has cleaned up. Resolves at once where it does not run. Aborting ends the waiting only.
 */
export async function stop(container: Container, options?: Options): Promise<void> {
  await starterGone(container)
  await killFrozen(container, options)
  await monitorCall('stop', container, (native, path, name) => native.stop(path, name), options, {
    lane: 'stop',
    timeoutMs: 60_000,
  })
}

/** liblxc stops a frozen container, too, but spends up to two seconds on thawing it (cgroup version 1). */
async function killFrozen(container: Container, options?: Options): Promise<void> {
  const pid = await initPid(container, options)
  if (pid === undefined) return
  try {
    if (!(await isFrozen(pid))) return
    const exited = new Promise<void>((resolve) => watchPidfd(pid, resolve).kill(SIGKILL))
    await askFrozen(pid, false)
    await exited
  } catch {
    // It ended meanwhile, or has no freezer: the rest is liblxc's.
  }
}

/**
 * Sends init the halt signal and waits for nothing: `lxc.signal.halt` where that is set, else SIGRTMIN+3 if init
 * blocks it (systemd), else SIGPWR. `ESRCH` where the container does not run. An init that is not ready for the
 * signal loses it: send it again until it acts.
 */
export function shutdown(container: Container, options?: Options): Promise<void> {
  return monitorCall('shutdown', container, (native, path, name) => native.shutdown(path, name), options)
}

/** Sends init the reboot signal, `lxc.signal.reboot` or SIGINT, and waits for nothing; otherwise as {@link shutdown}. */
export function reboot(container: Container, options?: Options): Promise<void> {
  return monitorCall('reboot', container, (native, path, name) => native.reboot(path, name), options)
}
