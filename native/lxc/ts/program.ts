import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { getSystemErrorName } from 'node:util'
import { programPath } from './binding.js'
import type { Container } from './container.js'
import { LxcError } from './lxc-error.js'

/** Arguments of the program for `container` and its verb. */
export function programArguments(verb: string, container: Container): string[] {
  return [verb, '--path', container.path, '--name', container.name]
}

/** Starts the program `covirt-lxc`; it sees nothing of our environment that it does not need. */
export function spawnProgram(
  args: readonly string[],
  options: Pick<SpawnOptions, 'stdio' | 'cwd'>,
): ChildProcess {
  const { PATH, HOME, XDG_RUNTIME_DIR, COVIRT_LIBLXC } = process.env
  return spawn(programPath(), args, { ...options, env: { PATH, HOME, XDG_RUNTIME_DIR, COVIRT_LIBLXC } })
}

/** The program's error line as an error, or `undefined` if `line` is none. */
export function parseErrorLine(line: string): LxcError | undefined {
  if (!line.startsWith('{"error":')) return undefined
  const { error } = JSON.parse(line) as { error: ErrorLine }
  const [reason] = error.log
  const subject = `${error.op} of container ${error.name} failed: ${error.message}`
  return new LxcError(reason ? `${subject}: ${reason}` : subject, {
    operation: error.op,
    container: error.name,
    code: error.errno > 0 ? getSystemErrorName(-error.errno) : undefined,
    log: error.log,
  })
}

interface ErrorLine {
  readonly op: string
  readonly name: string
  readonly errno: number
  readonly message: string
  readonly log: readonly string[]
}

/**
 * Runs a verb that ends by itself and returns the JSON document that it prints. Rejects with what its error line
 * says. Aborting kills the program and rejects with the signal's reason, once it is gone.
 */
export async function runProgram(
  verb: string,
  container: Container,
  args: readonly string[],
  signal: AbortSignal | undefined,
): Promise<unknown> {
  signal?.throwIfAborted()
  const child = spawnProgram([...programArguments(verb, container), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const kill = () => child.kill('SIGKILL')
  signal?.addEventListener('abort', kill, { once: true })
  try {
    const { code, stdout, stderr } = await output(child)
    signal?.throwIfAborted()
    if (code === 0) return JSON.parse(stdout)
    const failure = stderr
      .split('\n')
      .map(parseErrorLine)
      .find((error) => error !== undefined)
    throw (
      failure ??
      new LxcError(
        `${verb} of container ${container.name} failed: covirt-lxc ended unexpectedly: ${stderr}`,
        {
          operation: verb,
          container: container.name,
        },
      )
    )
  } finally {
    signal?.removeEventListener('abort', kill)
  }
}

interface Output {
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

function output(child: ChildProcess): Promise<Output> {
  const text = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk
    })
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? undefined, ...text }))
  })
}
