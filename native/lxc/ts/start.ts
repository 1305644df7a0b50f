import type { Container, Options } from './container.js'
import { stop } from './halt.js'
import { runProgram } from './program.js'

/** How much liblxc writes to its log file. */
export type LogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'NOTICE' | 'WARN' | 'ERROR'

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
 * does not come so far, a missing init included; nothing runs then. When aborted, what had been started by then
 * is killed before it rejects.
 */
export async function start(container: Container, options: StartOptions = {}): Promise<{ initPid: number }> {
  const { configFile, logFile, logLevel, signal } = options
  const args = [
    ...(configFile === undefined ? [] : ['--config', configFile]),
    ...(logFile === undefined ? [] : ['--log-file', logFile]),
    ...(logLevel === undefined ? [] : ['--log-level', logLevel]),
  ]
  try {
    const { initPid } = (await runProgram('start', container, args, signal)) as { initPid: number }
    return { initPid }
  } catch (error) {
    // The program may have left a monitor behind, which listens since before it was forked.
    if (signal?.aborted) await stop(container)
    throw error
  }
}
