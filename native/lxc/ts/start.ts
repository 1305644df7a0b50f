import { askFrozen, setFrozen } from './cgroups.js'
import type { Container, Options } from './container.js'
import { stop } from './halt.js'
import { runProgram } from './program.js'
import { type Stage, stageArgument } from './stage.js'
import { seeOff, starterGone } from './starters.js'

/** How much liblxc writes to its log file. */
export type LogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'NOTICE' | 'WARN' | 'ERROR'

/**
 * How long an aborted start may go on. A monitor whose starter is killed dies without removing its cgroups, so that
 * is only for one that hangs, in a hook for instance.
 */
const GRACE_MS = 5_000

export interface StartOptions extends Options {
  /** The init and its arguments, also for each restart of the container. Default: its `lxc.init.cmd`. */
  readonly argv?: readonly string[] | undefined
  /** Freezes the container before its init has come to its first instruction: see {@link setFrozen}. */
  readonly paused?: boolean | undefined
  /** Lines of `lxc.idmap`, for the owners in {@link stages}; the container's own come from its configuration. */
  readonly idmaps?: readonly string[] | undefined
  /**
   * File systems that are made ready in a mount namespace of the container's monitor, in place of `lxc.rootfs.path`
   * and in addition to `lxc.mount.entry`.
   */
  readonly stages?: readonly Stage[] | undefined
  /**
   * `LINK,DESTINATION/PREFIX,GATEWAY,METRIC`, with numbers only and the link's name in the container; metric 0 is the
   * kernel's own. Set at each boot before init is executed.
   */
  readonly routes?: readonly string[] | undefined
  /** Read instead of the file `config` of the container. */
  readonly configFile?: string | undefined
  /** liblxc and the container's monitor append to it; by default the log is kept in memory. */
  readonly logFile?: string | undefined
  /** Default `ERROR`. */
  readonly logLevel?: LogLevel | undefined
}

/** A container that has been started. */
export interface Started {
  readonly initPid: number
  /** Why one that was to be paused ran for a moment before it was frozen: where init may not be traced (ptrace(2)). */
  readonly ranBecause?: string
}

/**
 * Starts the container as a daemon and resolves when its init has been executed. Rejects with liblxc's log where it
 * does not come so far, a missing init included; nothing runs then. `ESRCH`: init ended at once. When aborted, it rejects once
 * what had been started by then is stopped again.
 */
export async function start(container: Container, options: StartOptions = {}): Promise<Started> {
  const {
    argv,
    configFile,
    idmaps = [],
    logFile,
    logLevel,
    paused,
    routes = [],
    signal,
    stages = [],
  } = options
  const args = [
    ...(configFile === undefined ? [] : ['--config', configFile]),
    ...(logFile === undefined ? [] : ['--log-file', logFile]),
    ...(logLevel === undefined ? [] : ['--log-level', logLevel]),
    ...(paused ? ['--paused'] : []),
    ...idmaps.flatMap((line) => ['--idmap', line]),
    ...stages.flatMap((stage) => ['--stage', stageArgument(stage)]),
    ...routes.flatMap((route) => ['--route', route]),
    ...(argv === undefined ? [] : ['--', ...argv]),
  ]
  await starterGone(container)
  const { initPid, ranBecause } = (await runProgram('start', container, args, {
    signal,
    graceMs: GRACE_MS,
    undo: () => stop(container),
    told: (told, exited) => seeOff(container, exited, told as Told),
    ...(paused ? { answer: freezeHeld, complete: (started) => freeze(started as Started, signal) } : {}),
  })) as Told
  return { initPid, ...(ranBecause === undefined ? {} : { ranBecause }) }
}

/** What the program says. */
type Told = Started & { readonly cgroup: string }

function freeze({ initPid }: Started, signal: AbortSignal | undefined): Promise<void> {
  return setFrozen(initPid, true, { signal })
}

/** Init stands at its first instruction, and goes on into the freezer. What fails here fails again afterwards. */
async function freezeHeld(document: unknown): Promise<void> {
  const { heldPid } = document as { heldPid?: number }
  if (heldPid !== undefined) await askFrozen(heldPid, true).catch(() => {})
}
