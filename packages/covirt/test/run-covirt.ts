import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { runCommandLine } from '../src/cli/run-command-line.js'

/** The command, as `npm run build` makes it. */
export const program = fileURLToPath(new URL('../bin/covirt.js', import.meta.url))

/** How the command ended, and what it said. */
export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** How the command is run. */
export interface RunOptions {
  /** What it reads on standard input. */
  readonly input?: string
  /** Whether a person types that, at a terminal. */
  readonly tty?: boolean
  /** Beside what this process has. */
  readonly environment?: NodeJS.ProcessEnv
}

/** Starts `covirt` with `args`. */
export function startCovirt(args: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
  const { NODE_OPTIONS: _, ...inherited } = process.env
  return spawn(process.execPath, [program, ...args], { env: { ...inherited, ...environment } })
}

/** Runs the program `covirt` with `args` to its end. What needs no process of its own takes {@link covirt}. */
export async function covirtProcess(
  args: readonly string[],
  { input = '', environment }: Omit<RunOptions, 'tty'> = {},
): Promise<Outcome> {
  const child = startCovirt(args, environment)
  child.stdin?.end(input)
  let [stdout, stderr] = ['', '']
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

/** Runs the command line `args` in this process, whose start would take longer than most commands. */
export async function covirt(
  args: readonly string[],
  { input = '', tty = false, environment }: RunOptions = {},
): Promise<Outcome> {
  const stdin = Object.assign(Readable.from([Buffer.from(input)]), { isTTY: tty })
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const place = Object.assign(new EventEmitter(), {
    ...{ stdin, stdout, stderr, env: { ...process.env, ...environment } },
    exit: (code: number): never => {
      throw new Error(`it would have ended the process with ${code}`)
    },
  })
  const said = Promise.all([text(stdout), text(stderr)])
  const code = await runCommandLine(args, place)
  for (const stream of [stdout, stderr]) stream.end()
  const [out, errors] = await said
  return { code, stdout: out, stderr: errors }
}

let worlds = 0

/** Runs `args` on what `test:///default` begins with. */
export function onTest(args: readonly string[], options?: RunOptions): Promise<Outcome> {
  worlds += 1
  return covirt(['-c', `test:///default?root=command-${worlds}`, ...args], options)
}
