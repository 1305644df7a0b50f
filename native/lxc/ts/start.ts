import type { Container, Options } from './container.js'
import { stop } from './halt.js'
import { runProgram } from './program.js'

/** How much liblxc writes to its log file. */
export type LogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'NOTICE' | 'WARN' | 'ERROR'

/**
 * How long an aborted start may go on. A monitor whose starter is killed dies without removing its cgroups, so that
 * is only for one that hangs, in a hook for instance.
 */
const GRACE_MS = 5_000

export interface StartOptions extends Options {
  /** Read instead of the file `config` of the container. */
  readonly configFile?: string | undefined
  /** liblxc and the container's monitor append to it; by default the log is kept in memory. */
  readonly logFile?: string | undefined
  /** Default `ERROR`. */
  readonly logLevel?: LogLevel | undefined
}

/**
 * Starts the container as a daemon and resolves when its init has been executed. Rejects with liblxc's log where it
 * does not come so far, a missing init included; nothing runs then. When aborted, it rejects once
 * what had been started by then is stopped again.
 */
export async function start(container: Container, options: StartOptions = {}): Promise<{ initPid: number }> {
  const { configFile, logFile, logLevel, signal } = options
  const args = [
    ...(configFile === undefined ? [] : ['--config', configFile]),
    ...(logFile === undefined ? [] : ['--log-file', logFile]),
    ...(logLevel === undefined ? [] : ['--log-level', logLevel]),
  ]
  const undo = () => stop(container)
  const started = await runProgram('start', container, args, { signal, graceMs: GRACE_MS, undo })
  return started as { initPid: number }
}
