import { type AskCredentials, type Connection, type Domain, type Logger, silentLogger } from '@covirt/core'
import { defaultUri } from '../default-uri.js'
import { open } from '../open.js'
import { type Colour, colourOf } from './colour.js'
import type { CommandInput, CommandOutput, CommandProcess } from './command-process.js'
import { whenFree } from './connect.js'
import { exitCodes } from './exit-codes.js'
import { findDomain } from './find-domain.js'
import { Output, type Result } from './output.js'
import { printable } from './text-width.js'

/** The options that every command takes. */
export interface GlobalFlags {
  readonly connect?: string
  readonly json?: boolean
  readonly debug?: boolean
  /** In seconds. */
  readonly lockTimeout: number
}

/** A command line that has been understood, ready to run. */
export type Task = (cli: Cli) => Promise<void>

/** What a command works with: a connection that is opened when it is first needed, output, cancellation. */
export class Cli {
  readonly output: Output
  readonly stdin: CommandInput
  readonly stdout: CommandOutput
  readonly stderr: CommandOutput
  readonly environment: NodeJS.ProcessEnv
  /** Fires when the user gives up. */
  readonly signal: AbortSignal
  /** Colours of standard error. */
  readonly colour: Colour
  /** Of the command, where nothing goes wrong. */
  exitCode: number = exitCodes.ok
  readonly #flags: GlobalFlags
  #connection: Promise<Connection> | undefined
  #terminalIsLent = false

  constructor(flags: GlobalFlags, signal: AbortSignal, { stdin, stdout, stderr, env }: CommandProcess) {
    this.#flags = flags
    this.signal = signal
    this.stdin = stdin
    this.stdout = stdout
    this.stderr = stderr
    this.environment = env
    this.output = new Output(stdout, { json: flags.json === true, environment: env })
    this.colour = colourOf(stderr, env)
  }

  /** The URI that was asked for. */
  get uri(): string {
    return this.#flags.connect ?? defaultUri(this.environment)
  }

  /** Whether somebody watches standard error who wants to be told how far things are. */
  get watched(): boolean {
    return this.stderr.isTTY === true && !this.output.json
  }

  /** Whether another program has the terminal: ^C, which reaches this one too, is meant for that one. */
  get terminalIsLent(): boolean {
    return this.#terminalIsLent
  }

  /** Leaves the terminal to another program, such as an editor, until disposed. */
  lendTerminal(): Disposable {
    this.#terminalIsLent = true
    return {
      [Symbol.dispose]: () => {
        this.#terminalIsLent = false
      },
    }
  }

  /** The connection of this command. */
  connection(): Promise<Connection> {
    this.#connection ??= this.#connect()
    return this.#connection
  }

  /** The domain that `text` means: a name, a uuid or an id. */
  async domain(text: string): Promise<Domain> {
    return findDomain(await this.connection(), text, { signal: this.signal })
  }

  result(result: Result): void {
    this.output.result(result)
  }

  /** Tells a person something that is not the result. */
  note(text: string): void {
    if (this.watched) this.stderr.write(`${this.colour.dim(printable(text))}\n`)
  }

  /** Tells something that may explain the result, and must not be missed. */
  warn(text: string): void {
    if (!this.output.json) this.stderr.write(`${this.colour.yellow('warning:')} ${printable(text)}\n`)
  }

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined)
    await connection?.close()
  }

  async #connect(): Promise<Connection> {
    const { debug, lockTimeout } = this.#flags
    const logger = debug ? loggerOn(this.stderr) : silentLogger
    let ask: AskCredentials | undefined
    const credentials: AskCredentials = async (...asked) => {
      const { askCredentials } = await import('./ask-credentials.js')
      ask ??= askCredentials({ input: this.stdin, output: this.stderr })
      return ask(...asked)
    }
    return whenFree(() => open(this.uri, { logger, credentials, signal: this.signal }), {
      timeoutMs: lockTimeout * 1000,
      signal: this.signal,
      onWait: (message) => this.note(`Waiting: ${message}`),
    })
  }
}

function loggerOn(stream: CommandOutput): Logger {
  const to =
    (level: string) =>
    (message: string, fields?: Readonly<Record<string, unknown>>): void =>
      void stream.write(`${level}: ${printable(`${message}${fields ? ` ${JSON.stringify(fields)}` : ''}`)}\n`)
  return { debug: to('debug'), info: to('info'), warn: to('warn'), error: to('error') }
}
