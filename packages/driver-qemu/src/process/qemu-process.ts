import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, renameSync, statSync, writeSync } from 'node:fs'
import type { Clock } from '@covirt/core'
import { fileSize, logTail, ownLine } from './log-tail.js'
import { hasArgument, isAlive, type ProcessIdentity, readProcessStat } from './process-identity.js'

/** What is spawned, and where it works and speaks. */
export interface QemuCommand {
  readonly program: string
  readonly args: readonly string[]
  /** Its working directory: relative socket paths in `args` lie there. */
  readonly directory: string
  /** What it prints is appended to this file; one that has grown long becomes `FILE.1` first. */
  readonly logFile: string
}

/** How a process ended, as far as it can be known: only a parent is told. */
export interface ProcessEnd {
  readonly code?: number | undefined
  readonly signal?: string | undefined
}

/** How many lines of what it printed are quoted where a process fails. */
const quotedLines = 6
/** How often a process is looked at that is not our child and is about to end. */
const watchIntervalMs = 5
/** A log longer than this is not appended to. */
const maxLogBytes = 1024 * 1024

/**
 * One QEMU process: our child, or one that an earlier process of ours left. It survives us: it is in a session
 * of its own and holds no pipe of ours.
 */
export class QemuProcess {
  readonly identity: ProcessIdentity
  readonly #child: ChildProcess | undefined
  readonly #exited: Promise<ProcessEnd> | undefined
  readonly #logFile: string
  readonly #logOffset: number

  private constructor(
    identity: ProcessIdentity,
    log: { readonly file: string; readonly offset: number },
    child?: { readonly process: ChildProcess; readonly exited: Promise<ProcessEnd> },
  ) {
    this.identity = identity
    this.#logFile = log.file
    this.#logOffset = log.offset
    this.#child = child?.process
    this.#exited = child?.exited
  }

  /** Starts it. Rejects with Node's error (`ENOENT`, `EACCES`) where the program cannot be run. */
  static async spawn(command: QemuCommand): Promise<QemuProcess> {
    // On the spot: QEMU waits for these microseconds, and a trip to the thread pool takes many times as long.
    const log = openLog(command.logFile)
    try {
      writeSync(log, `${new Date().toISOString()} ${ownLine}${command.program} ${quoted(command.args)}\n`)
      const offset = fstatSync(log).size
      const child = spawn(command.program, command.args, {
        cwd: command.directory,
        detached: true,
        stdio: ['ignore', log, log],
        env: environment(),
      })
      const exited = new Promise<ProcessEnd>((resolve) => {
        child.once('exit', (code, signal) =>
          resolve({ code: code ?? undefined, signal: signal ?? undefined }),
        )
      })
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve)
        child.once('error', reject)
      })
      const pid = child.pid as number
      const stat = await readProcessStat(pid)
      const identity = { pid, startTime: stat?.startTime ?? '' }
      return new QemuProcess(identity, { file: command.logFile, offset }, { process: child, exited })
    } finally {
      closeSync(log)
    }
  }

  /**
   * Takes over a process that runs already; `undefined` where it is gone, or where that pid is another
   * process's by now: `argument` must be on its command line.
   */
  static async adopt(
    identity: ProcessIdentity,
    argument: string,
    logFile: string,
  ): Promise<QemuProcess | undefined> {
    if (!(await isAlive(identity)) || !(await hasArgument(identity.pid, argument))) return undefined
    return new QemuProcess(identity, { file: logFile, offset: await fileSize(logFile) })
  }

  /**
   * Resolves once the process is gone, to how it ended; or to `undefined` where it is not after `timeoutMs`.
   * For a process that is not our child there is nothing to wait on: it is looked at again and again, so ask
   * only where the end is near.
   */
  async waitForEnd(clock: Clock, timeoutMs: number): Promise<ProcessEnd | undefined> {
    if (this.#exited) return withTimeout(this.#exited, clock, timeoutMs)
    for (let waitedMs = 0; await isAlive(this.identity); waitedMs += watchIntervalMs) {
      if (waitedMs >= timeoutMs) return undefined
      await clock.sleep(watchIntervalMs)
    }
    return {}
  }

  /** Resolves when our child ends; never for a process that is not our child. */
  get exited(): Promise<ProcessEnd> {
    return this.#exited ?? new Promise(() => {})
  }

  /** Ends it and what it may have started, without its cooperation; resolves when it is gone. */
  async kill(clock: Clock): Promise<void> {
    if (await isAlive(this.identity)) signalGroup(this.identity.pid)
    if (this.#exited) await this.#exited
    else while (await isAlive(this.identity)) await clock.sleep(watchIntervalMs)
  }

  /** Forgets it: it no longer keeps our event loop alive. */
  release(): void {
    this.#child?.unref()
  }

  /** The last lines it printed, oldest first. */
  lastWords(): Promise<string[]> {
    return logTail(this.#logFile, this.#logOffset, quotedLines)
  }
}

function openLog(path: string): number {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes) renameSync(path, `${path}.1`)
  return openSync(path, 'a', 0o600)
}

/**
 * What we spawn leads a session of its own, so that its process group has its number; what a program of a user's
 * has spawned around QEMU need not lead any.
 */
function signalGroup(pid: number): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

async function withTimeout<T>(promise: Promise<T>, clock: Clock, timeoutMs: number): Promise<T | undefined> {
  const done = new AbortController()
  const timeout = clock.sleep(timeoutMs, { signal: done.signal }).catch(() => {})
  try {
    return await Promise.race([promise, timeout.then(() => undefined)])
  } finally {
    done.abort()
  }
}

/** QEMU gets the few variables that it or its libraries may need; what else we were given is not its business. */
function environment(): NodeJS.ProcessEnv {
  const passed = Object.entries(process.env).filter(([name]) => passedVariables.test(name))
  return { ...Object.fromEntries(passed), LC_ALL: 'C' }
}

const passedVariables = /^(PATH|HOME|USER|LOGNAME|TMPDIR|LD_LIBRARY_PATH|XDG_RUNTIME_DIR|(COVIRT|QEMU)_\w+)$/

function quoted(args: readonly string[]): string {
  return args
    .map((arg) => (/^[\w./:=,@+-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`))
    .join(' ')
}
