import { setMaxListeners } from 'node:events'
import {
  anySignal,
  checkExec,
  type ExecExit,
  type ExecOptions,
  type ExecProcess,
  throwIfAborted,
} from '@covirt/core'
import { toVirError } from '../lxc-errors.js'
import { type Attached, attach, type Container } from '../native.js'

/** In which container programs are run. */
interface Place {
  readonly container: Container
  /** Of the domain. */
  readonly name: string
}

/** The programs that were brought into one container and run there. */
export class GuestPrograms {
  readonly #place: Place
  readonly #released = new AbortController()
  readonly #running = new Set<Attached>()

  constructor(place: Place) {
    this.#place = place
    // Node suspects a leak from eleven listeners on; there may well be more programs.
    setMaxListeners(0, this.#released.signal)
  }

  /** See {@link ExecRole.exec}; `initPid` is the container's. */
  async run(initPid: number, argv: readonly string[], options: ExecOptions): Promise<ExecProcess> {
    checkExec(argv, options)
    throwIfAborted(options.signal)
    const signal = anySignal(options.signal, this.#released.signal)
    const program = await attach(this.#place.container, argv, { ...options, initPid, signal })
    this.#running.add(program)
    const exit = this.#exitOf(program, signal)
    exit.catch(() => {})
    if (options.stdin !== undefined) program.stdin.end(options.stdin)
    return {
      ...{ pid: program.pid, stdin: program.stdin, stdout: program.stdout, stderr: program.stderr, exit },
      resize: (columns, rows) => program.resize(columns, rows),
      kill: (name = 'SIGTERM') => program.kill(name),
    }
  }

  /** The container is gone: what had only some of its namespaces is ended, too. */
  end(): void {
    for (const program of this.#running) program.kill('SIGKILL')
  }

  /** Ends all of them as if they were cancelled. */
  release(): void {
    this.#released.abort()
  }

  async #exitOf(program: Attached, signal: AbortSignal | undefined): Promise<ExecExit> {
    try {
      return await program.exited
    } catch (error) {
      throw toVirError(error, `A program in ${this.#place.name}`, signal)
    } finally {
      this.#running.delete(program)
    }
  }
}
