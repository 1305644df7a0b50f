import type { Readable, Writable } from 'node:stream'

/** A terminal, a file or a pipe that is read. */
export type CommandInput = Readable & {
  readonly isTTY?: boolean | undefined
  readonly setRawMode?: (raw: boolean) => unknown
}

/** A terminal, a file or a pipe that is written to. A terminal has a size, and emits `resize`. */
export type CommandOutput = Writable & {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  readonly rows?: number | undefined
}

/** What a command line has of the process that runs it, such as `process`. */
export interface CommandProcess {
  readonly stdin: CommandInput
  readonly stdout: CommandOutput
  readonly stderr: CommandOutput
  readonly env: NodeJS.ProcessEnv
  /** Where signals arrive. */
  on(signal: NodeJS.Signals, handler: (signal: NodeJS.Signals) => void): unknown
  off(signal: NodeJS.Signals, handler: (signal: NodeJS.Signals) => void): unknown
  /** Ends it at once. */
  exit(code: number): never
}
