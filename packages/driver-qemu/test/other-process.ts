import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const repository = join(import.meta.dirname, '../../..')

/**
 * A process of its own that opens a connection, does what it is told, and says each result as a line of JSON.
 * It is what dies where a driver's process is to die.
 */
export class OtherProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  /** `within`: a command line that runs the one it is followed by. */
  constructor(
    program: string,
    args: readonly string[],
    { within = [] }: { readonly within?: readonly string[] } = {},
  ) {
    const loader = ['--import', join(repository, 'scripts/typescript.mjs')]
    const [command = '', ...rest] = [
      ...within,
      process.execPath,
      ...loader,
      join(import.meta.dirname, program),
      ...args,
    ]
    this.#child = spawn(command, rest, {
      cwd: repository,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[
      Symbol.asyncIterator
    ]()
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
