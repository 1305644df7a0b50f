import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { plainProgram } from '../../../test/fixtures/index.js'

/**
 * A process of its own that opens a connection, does what it is told, and says each result as a line of JSON.
 * It is what dies where a driver's process is to die.
 */
export class OtherProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[
      Symbol.asyncIterator
    ]()
  }

  /** Runs starter.ts with these arguments. `within`: a command line that runs the one it is followed by. */
  static async start(
    args: readonly string[],
    { within = [] }: { readonly within?: readonly string[] } = {},
  ): Promise<OtherProcess> {
    const program = await plainProgram(join(import.meta.dirname, 'starter.ts'))
    const [command = '', ...rest] = [...within, process.execPath, program, ...args]
    return new OtherProcess(command, rest)
  }

  /** The next line it says. */
  async says(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('The other process has ended without a word')
    return value
  }

  /** kill -9. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}
