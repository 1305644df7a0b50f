import { PassThrough, Readable } from 'node:stream'
import {
  abortable,
  abortError,
  type Clock,
  type ExecExit,
  type ExecOptions,
  type ExecProcess,
  throwIfAborted,
} from '@covirt/core'
import { firstDirectories } from './test-files.js'
import type { TestProgram } from './test-program.js'

/** Where a program is run, and by what clock. */
export interface TestProcessParts {
  readonly program: TestProgram | undefined
  readonly clock: Clock
  /** Its number in the guest. */
  readonly innerPid: number
  /** Fires when no driver watches the guest any more. */
  readonly released: AbortSignal
}

/** A program that runs in a simulated guest. */
export class TestProcess implements ExecProcess {
  readonly argv: readonly string[]
  readonly innerPid: number
  readonly stdin = new PassThrough()
  readonly stdout = new PassThrough()
  readonly stderr = new PassThrough()
  readonly exit: Promise<ExecExit>
  readonly #killed = new AbortController()
  #end: (exit: ExecExit | Promise<never>) => void = () => {}

  constructor(
    argv: readonly string[],
    options: ExecOptions,
    { program, clock, released, innerPid }: TestProcessParts,
  ) {
    this.argv = argv
    this.innerPid = innerPid
    const { env = {}, cwd = '/', uid = 0, gid = 0, tty, namespaces, stdin, signal } = options
    throwIfAborted(signal)
    this.exit = new Promise((resolve) => {
      this.#end = resolve
    })
    this.exit.catch(() => {})
    if (stdin !== undefined) this.stdin.end(stdin)
    const cancel = (reason: AbortSignal) => () => this.#cancel(reason)
    const watched = [signal, released].filter((each) => each !== undefined)
    for (const each of watched) {
      const onAbort = cancel(each)
      each.addEventListener('abort', onAbort, { once: true })
      this.#killed.signal.addEventListener('abort', () => each.removeEventListener('abort', onAbort))
    }
    const run = { argv, env: { PATH: '/usr/bin:/bin', container: 'test', ...env }, cwd, uid, gid }
    const streams = { stdin: Readable.from(this.stdin), stdout: this.stdout, stderr: this.stderr }
    const started = { ...run, ...streams, tty, namespaces, clock, signal: this.#killed.signal }
    const ending = Promise.resolve().then(() => startOf(program, cwd)(started))
    abortable(ending, this.#killed.signal).then(
      (exit) => this.#finish(typeof exit === 'number' ? { code: exit } : exit),
      () => this.#finish({ code: 1 }),
    )
  }

  resize(): void {}

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#finish({ signal })
  }

  #cancel(signal: AbortSignal): void {
    this.#finish(Promise.reject(abortError(signal)))
  }

  /** The first end counts. */
  #finish(exit: ExecExit | Promise<never>): void {
    this.#end(exit)
    if (exit instanceof Promise) exit.catch(() => {})
    this.#killed.abort()
    this.stdout.end()
    this.stderr.end()
  }
}

function startOf(program: TestProgram | undefined, cwd: string): TestProgram {
  if (!firstDirectories.includes(cwd)) return refusal(126, () => cwd)
  return program ?? refusal(127, (argv) => argv[0] as string)
}

function refusal(code: number, missing: (argv: readonly string[]) => string): TestProgram {
  return ({ argv, stderr }) => {
    stderr.write(`${missing(argv)}: No such file or directory\n`)
    return code
  }
}
