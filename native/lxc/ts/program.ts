import { once } from 'node:events'
import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { removeMonitorCgroups } from './cgroups.js'
import type { Container } from './container.js'
import { LxcError, toLxcError } from './lxc-error.js'
import { type SpawnedProgram, spawnProgram } from './spawned-program.js'

/** Arguments of the program for `container` and its verb. */
export function programArguments(verb: string, container: Container): string[] {
  return [verb, '--path', container.path, '--name', container.name]
}

/** What the program says when it failed. */
export interface ErrorLine {
  readonly op: string
  readonly name: string
  readonly errno: number
  readonly message: string
  /** The program's own `/proc/self/cgroup`. */
  readonly cgroup: string
  readonly log: readonly string[]
}

/** The content of the program's error line, or `undefined` if `line` is none. */
export function parseErrorLine(line: string): ErrorLine | undefined {
  if (!line.startsWith('{"error":')) return undefined
  return (JSON.parse(line) as { error: ErrorLine }).error
}

export function toError(line: ErrorLine): LxcError {
  const [reason] = line.log
  const subject = `${line.op} of container ${line.name} failed: ${line.message}`
  return new LxcError(reason ? `${subject}: ${reason}` : subject, {
    operation: line.op,
    container: line.name,
    code: line.errno > 0 ? getSystemErrorName(-line.errno) : undefined,
    log: line.log,
  })
}

/** The error for a program that ended without a word. */
export function unexpectedEnd(verb: string, container: Container, printed = ''): LxcError {
  return new LxcError(
    `${verb} of container ${container.name} failed: covirt-lxc ended unexpectedly: ${printed}`,
    { operation: verb, container: container.name },
  )
}

/** How a run of the program is cancelled, and spoken with. */
interface Run {
  readonly signal: AbortSignal | undefined
  /** Called with the first document that the program prints, whose input ends when that is done. Never rejects. */
  readonly answer?: ((document: unknown) => Promise<void>) | undefined
  /** What is left to do with the result; where that fails, it is undone. */
  readonly complete?: ((document: unknown) => Promise<void>) | undefined
  /** The program is killed so long after the signal. Default at once. */
  readonly graceMs?: number
  /**
   * Called where the program had done its work by then, or had to be killed in it. It has ended by then: until that
   * it is next to the monitor, which could not remove its cgroups.
   */
  readonly undo?: () => Promise<void>
  /** Called with the result as soon as it is there; the program has yet to end. */
  readonly told?: (document: unknown, exited: Promise<unknown>) => void
}

/** The exit code of the program after an error line. */
const FAILED = 1

/**
 * Runs a verb that ends by itself and returns the last JSON document that it prints. Rejects with what its error line
 * says; when aborted, with the signal's reason, once the program is gone.
 */
export async function runProgram(
  verb: string,
  container: Container,
  args: readonly string[],
  { signal, answer, complete, graceMs = 0, undo, told }: Run,
): Promise<unknown> {
  signal?.throwIfAborted()
  let grace: NodeJS.Timeout | undefined
  let onAbort: (() => void) | undefined
  try {
    const program = spawnProgram(
      [...programArguments(verb, container), ...args],
      [answer ? 'read' : 'null', 'write', 'write'],
    )
    onAbort = () => {
      grace = setTimeout(() => program.kill(constants.signals.SIGKILL), graceMs)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    if (answer) converse(program, answer)
    const ended = await output(program, answer ? 2 : 1)
    const isCancelled = signal?.aborted && ended.code !== FAILED && ended.code !== 0
    const document = isCancelled ? undefined : await result(verb, container, ended)
    if (!isCancelled) told?.(document, program.exited)
    try {
      signal?.throwIfAborted()
      await complete?.(document)
      signal?.throwIfAborted()
    } catch (error) {
      await program.exited
      await undo?.()
      throw error
    }
    return document
  } catch (error) {
    throw toLxcError(error, verb, container.name)
  } finally {
    clearTimeout(grace)
    if (onAbort) signal?.removeEventListener('abort', onAbort)
    signal?.throwIfAborted()
  }
}

async function result(
  verb: string,
  container: Container,
  { code, stdout, stderr }: Output,
): Promise<unknown> {
  if (code === 0) return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
  const line = stderr
    .split('\n')
    .map(parseErrorLine)
    .find((each) => each !== undefined)
  if (!line) throw unexpectedEnd(verb, container, stderr)
  // liblxc had put the program next to the monitor, which therefore could not remove its cgroups.
  await removeMonitorCgroups(line.cgroup)
  throw toError(line)
}

interface Output {
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

function converse(
  { stdio: [stdin, stdout] }: SpawnedProgram,
  answer: (document: unknown) => Promise<void>,
): void {
  // The program may have ended without having listened.
  stdin?.on('error', () => {})
  // A line this short comes in one piece (pipe(7)).
  stdout?.once('data', async (line: Buffer | string) => {
    await answer(JSON.parse(line.toString()))
    stdin?.end()
  })
}

/**
 * What the program has said when it ended, or when the line that is its result is there: its own end, with nothing
 * left to do, takes as long as a twentieth of a start.
 */
async function output(
  { stdio: [, stdout, stderr], exited }: SpawnedProgram,
  resultLine: number,
): Promise<Output> {
  const text = { stdout: '', stderr: '' }
  const said = new Promise<Output>((resolve) => {
    for (const [name, stream] of Object.entries({ stdout, stderr }) as [
      'stdout' | 'stderr',
      typeof stdout,
    ][]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        text[name] += chunk
        if (text.stdout.split('\n').length > resultLine) resolve({ code: 0, ...text })
      })
    }
  })
  const read = [stdout, stderr].map((stream) => stream && once(stream, 'close'))
  const ended = Promise.all([exited, ...read]).then(([end]) => ({
    code: 'code' in end ? end.code : undefined,
    ...text,
  }))
  return Promise.race([said, ended])
}
