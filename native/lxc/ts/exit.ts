import { setTimeout as delay } from 'node:timers/promises'
import { binding } from './binding.js'
import type { Container, Options } from './container.js'
import { LxcError, toLxcError } from './lxc-error.js'
import { monitorCall } from './monitor-call.js'
import { initPid } from './queries.js'

/** A process under watch. It keeps the event loop alive until it ends, unless `unref` was called. */
export interface PidfdWatch extends Disposable {
  /** Sends a signal to this very process, whatever its number means by now. `ESRCH` once it has ended. */
  kill(signal: number): void
  ref(): void
  unref(): void
  /** Ends the watch; its callback is not called any more. Idempotent. */
  close(): void
}

/**
 * Calls `onExit` once when the process `pid` ends, whoever's child it is. Costs one descriptor and no thread. Throws
 * an {@link LxcError} with code `ESRCH` where there is no such process. A process that has ended but was not waited
 * for counts as ended.
 */
export function watchPidfd(pid: number, onExit: () => void): PidfdWatch {
  try {
    return watch(binding().pidfdOpen(pid), onExit)
  } catch (error) {
    throw toLxcError(error, 'watchPidfd')
  }
}

/**
 * Watches the init of a running container, found through its monitor and therefore never another process of the
 * same number. `ESRCH` where the container does not run. `onExit` comes when init ended: liblxc needs a moment more
 * to clean up or to boot again, see {@link waitAfterExit}.
 */
export async function watchInit(
  container: Container,
  onExit: () => void,
  options?: Options,
): Promise<{ pid: number; watch: PidfdWatch }> {
  const opened = await monitorCall(
    'watchInit',
    container,
    (native, path, name) => native.openInitPidfd(path, name),
    options,
  )
  if (opened) return { pid: opened.pid, watch: watch(opened.fd, onExit) }
  throw new LxcError(`watchInit of container ${container.name} failed: it is not running`, {
    operation: 'watchInit',
    container: container.name,
    code: 'ESRCH',
  })
}

/** What became of a container after its init ended. */
export type AfterExit =
  | { readonly outcome: 'stopped' }
  | { readonly outcome: 'rebooted' /** The new init. */; readonly initPid: number }

/**
 * What became of a container whose init `endedPid` has ended: call it when a watch fires. A guest that reboots is
 * started anew by its own monitor, with a new init. The answer comes as soon as the monitor has cleaned up or
 * started again; hooks of the container (`lxc.hook.post-stop`) take their time in it.
 */
export async function waitAfterExit(
  container: Container,
  endedPid: number,
  options: Options = {},
): Promise<AfterExit> {
  for (;;) {
    // While the monitor cleans up it does not answer, and then closes the connection or speaks of the new init.
    const state = await monitorCall(
      'state',
      container,
      (native, path, name) => native.state(path, name),
      options,
      {
        lane: 'after-exit',
        timeoutMs: undefined,
      },
    )
    if (state === 'STOPPED') return { outcome: 'stopped' }
    const pid = await initPid(container, options)
    if (pid !== undefined && pid !== endedPid) return { outcome: 'rebooted', initPid: pid }
    // For an instant after the exit it still speaks of the old init.
    await delay(2, undefined, { signal: options.signal })
  }
}

function watch(fd: number, onExit: () => void): PidfdWatch {
  const watcher = new (binding().PidfdWatcher)(fd, onExit)
  return {
    kill: (signal) => watcher.kill(signal),
    ref: () => watcher.ref(),
    unref: () => watcher.unref(),
    close: () => watcher.close(),
    [Symbol.dispose]: () => watcher.close(),
  }
}
