import type { Readable, Writable } from 'node:stream'
import type { CallOptions } from './abort.js'
import type { DomainRef } from './domain.js'

/** The kinds of namespaces, by the kernel's names (namespaces(7), `/proc/PID/ns`). */
export const namespaceNames = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'] as const

/** One of {@link namespaceNames}. */
export type NamespaceName = (typeof namespaceNames)[number]

/** How big a terminal is, in characters. */
export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

/** How a program is run in a guest. */
export interface ExecOptions extends CallOptions {
  /**
   * Added to what the guest's definition sets for all of the guest, and to `PATH` where that is missing. Nothing of
   * the caller's own environment is passed on. Default empty.
   */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** An absolute path in the guest; where it has no such directory the exit code is 126. Default `/`. */
  readonly cwd?: string | undefined
  /** As the guest counts users. Default 0. */
  readonly uid?: number | undefined
  /** As the guest counts groups. Default 0. */
  readonly gid?: number | undefined
  /** All that it reads. Default: what is written to {@link ExecProcess.stdin}, until that is ended. */
  readonly stdin?: string | Uint8Array | undefined
  /** Gives it a terminal of this size, in a session of its own. Default: pipes. */
  readonly tty?: TerminalSize | undefined
  /**
   * Which of the guest's namespaces it is run in; in all others it stays with the host. Default all.
   * `ARGUMENT_UNSUPPORTED` where the guest has no namespaces.
   */
  readonly namespaces?: readonly NamespaceName[] | undefined
  /** Fired at any time while the program runs, it kills the program's process group; `exit` then rejects. */
  readonly signal?: AbortSignal | undefined
}

/** How a program ended. */
export type ExecExit = { readonly code: number } | { readonly signal: NodeJS.Signals }

/** A program that runs in a guest. */
export interface ExecProcess {
  /** Its process id on the host, where it has one. */
  readonly pid?: number | undefined
  /** What it reads. With a terminal, ending it types ^D. */
  readonly stdin: Writable
  /** What it prints; with a terminal all of it. A program whose output nobody reads is held, and none is lost. */
  readonly stdout: Readable
  /** What it prints about errors; with a terminal nothing. */
  readonly stderr: Readable
  /**
   * Resolves once it has ended and rejects where it was cancelled (`OPERATION_ABORTED`). Output may still come
   * after that, until the streams end. Nobody needs to wait for it.
   */
  readonly exit: Promise<ExecExit>
  /** Tells the program the new size of its terminal; does nothing without one, or after the end. */
  resize(columns: number, rows: number): void
  /** Sends a signal to its process group. Default `SIGTERM`. Does nothing after the end. */
  kill(signal?: NodeJS.Signals): void
}

/** Role: running programs inside of guests. */
export interface ExecRole {
  /**
   * Runs a program in the guest of an active domain and resolves once it has been brought there. No shell is
   * involved: `argv` reaches the program as it is. A first word without a slash is looked for in the guest's
   * `PATH`. As in a shell, the exit code is 127 where there is no such program and 126 where it may not be run.
   * - Any number of them may run at a time; none of them waits for the domain's other calls.
   * - It has no more privileges than the guest has.
   * - It ends with its guest, by `SIGKILL`; and when the connection is closed, as if cancelled.
   * - `OPERATION_INVALID` where the domain is not running (nor is a paused one), `INVALID_ARG` where `argv` is
   *   empty, or it, the environment or the directory cannot be passed to a program.
   */
  exec(domain: DomainRef, argv: readonly string[], options?: ExecOptions): Promise<ExecProcess>
}
