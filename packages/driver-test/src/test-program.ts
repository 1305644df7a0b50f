import type { Readable, Writable } from 'node:stream'
import type { Clock, ExecExit, ExecOptions } from '@covirt/core'

/** One run of a program in a simulated guest. */
export interface ProgramRun extends Pick<ExecOptions, 'tty' | 'namespaces'> {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly uid: number
  readonly gid: number
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
  readonly clock: Clock
  /** Fires when it is killed, whose exit is then no longer asked for. */
  readonly signal: AbortSignal
}

/** A program of simulated guests: resolves to how it ends, a number being an exit code. */
export type TestProgram = (run: ProgramRun) => Promise<ExecExit | number> | ExecExit | number

/** What every simulated guest has in its `PATH`. */
export const ownPrograms: ReadonlyMap<string, TestProgram> = new Map<string, TestProgram>([
  ['true', () => 0],
  ['false', () => 1],
  ['echo', ({ argv, stdout }) => print(stdout, `${argv.slice(1).join(' ')}\n`)],
  ['env', ({ env, stdout }) => print(stdout, lines(Object.entries(env).map((pair) => pair.join('='))))],
  ['pwd', ({ cwd, stdout }) => print(stdout, `${cwd}\n`)],
  ['id', ({ argv, uid, gid, stdout }) => print(stdout, `${argv[1] === '-g' ? gid : uid}\n`)],
  ['tty', ({ tty, stdout }) => (tty ? print(stdout, '/dev/pts/0\n') : print(stdout, 'not a tty\n', 1))],
  ['cat', cat],
  ['yes', yes],
  ['sleep', sleep],
])

async function cat({ argv, stdin, stdout, stderr, signal }: ProgramRun): Promise<number> {
  const [, file] = argv
  if (file !== undefined) return print(stderr, `cat: ${file}: No such file or directory\n`, 1)
  for await (const chunk of stdin) {
    if (signal.aborted) break
    await write(stdout, chunk as Buffer)
  }
  return 0
}

async function yes({ stdout, signal }: ProgramRun): Promise<number> {
  while (!signal.aborted) await write(stdout, 'y\n'.repeat(1024))
  return 0
}

async function sleep({ argv, clock, signal }: ProgramRun): Promise<number> {
  await clock.sleep(Number(argv[1]) * 1000, { signal })
  return 0
}

function print(stream: Writable, text: string, code = 0): number {
  stream.write(text)
  return code
}

/** Writes as a process does: until there is room for more. */
function write(stream: Writable, chunk: string | Buffer): Promise<void> {
  return new Promise((resolve) => void stream.write(chunk, () => resolve()))
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('')
}
