import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

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
  readonly environment?: NodeJS.ProcessEnv
}

/** Starts `covirt` with `args`. */
export function startCovirt(args: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
  const { NODE_OPTIONS: _, ...inherited } = process.env
  return spawn(process.execPath, [program, ...args], { env: { ...inherited, ...environment } })
}

/** Runs `covirt` with `args` to its end. */
export async function covirt(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = startCovirt(args, options.environment)
  child.stdin?.end(options.input ?? '')
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
