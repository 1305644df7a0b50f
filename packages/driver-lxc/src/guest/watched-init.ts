import type { CallOptions } from '@covirt/core'
import { processIdentity } from '../host/processes.js'
import { type Container, LxcError, type PidfdWatch, watchInit, watchPidfd } from '../native.js'

/** An init that runs, and the monitor of liblxc that is its parent. Disposing ends both watches. */
export interface WatchedInit extends Disposable {
  readonly pid: number
  /** In clock ticks since boot. */
  readonly startTicks: number
  readonly watch: PidfdWatch
  readonly monitorPid: number
  /** In clock ticks since boot. */
  readonly monitorStart: number
  readonly monitor: PidfdWatch | undefined
  /** Resolves when the monitor has ended. */
  readonly monitorGone: Promise<void>
}

interface WatchOptions extends CallOptions {
  /** What a start has just answered: spares asking the monitor. */
  readonly startedPid?: number | undefined
}

/** Watches the init of a container. Rejects with `ESRCH` where that does not run (any more). */
export async function watchContainer(
  container: Container,
  onExit: () => void,
  { startedPid, signal }: WatchOptions,
): Promise<WatchedInit> {
  const { pid, watch } = watchStarted(startedPid, onExit) ?? (await watchInit(container, onExit, { signal }))
  const identity = processIdentity(pid)
  const monitorPid = identity?.parent ?? 0
  const { monitor, gone } = watchMonitor(identity?.parent)
  return {
    pid,
    startTicks: identity?.startTicks ?? 0,
    watch,
    monitorPid,
    monitorStart: processIdentity(monitorPid)?.startTicks ?? 0,
    monitor,
    monitorGone: gone,
    [Symbol.dispose]: () => {
      watch.close()
      monitor?.close()
    },
  }
}

/** Whether an init runs nothing any more, and nothing can be brought into its container. */
export function hasEnded({ pid, startTicks }: WatchedInit): boolean {
  const now = processIdentity(pid)
  return !now?.alive || now.exiting || now.startTicks !== startTicks
}

/** Its number cannot be another process's already. It may have ended, though, or have restarted as another one. */
function watchStarted(
  pid: number | undefined,
  onExit: () => void,
): { readonly pid: number; readonly watch: PidfdWatch } | undefined {
  if (pid === undefined) return undefined
  try {
    return { pid, watch: watchPidfd(pid, onExit) }
  } catch (error) {
    if (error instanceof LxcError && error.code === 'ESRCH') return undefined
    throw error
  }
}

/** A monitor that is gone already counts as one that has ended. */
function watchMonitor(pid: number | undefined): {
  readonly monitor: PidfdWatch | undefined
  readonly gone: Promise<void>
} {
  let resolve: () => void = () => {}
  const gone = new Promise<void>((done) => {
    resolve = done
  })
  try {
    if (pid !== undefined && pid > 1) return { monitor: watchPidfd(pid, resolve), gone }
  } catch {
    // It has ended.
  }
  resolve()
  return { monitor: undefined, gone }
}
