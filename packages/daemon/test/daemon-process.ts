import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { patience, tempRoot } from '../../../test/fixtures/index.js'

/** The command, as `npm run build` makes it. */
export const program = fileURLToPath(new URL('../bin/covirtd.js', import.meta.url))

/** One entry of the daemon's log. */
interface LogEntry {
  readonly level: string
  readonly message: string
  readonly [field: string]: unknown
}

/** How a daemon is started. */
export interface DaemonOptions {
  /** Where everything is. Default: a directory of its own, which goes away with it. */
  readonly root?: string
  /** Default: the test driver alone. */
  readonly drivers?: readonly string[]
  readonly args?: readonly string[]
  /** The text of its configuration file. */
  readonly config?: string
  readonly environment?: NodeJS.ProcessEnv
  /** The program and arguments that start it. Default: Node, directly. */
  readonly wrapper?: readonly string[]
}

/** A daemon in a process of its own. */
export interface DaemonProcess extends AsyncDisposable {
  readonly root: string
  readonly socket: string
  readonly pid: number
  /** What it has logged so far. */
  readonly log: readonly LogEntry[]
  /** The first entry with this message, once there is one; of those that come after the first `since`. */
  logged(message: string | RegExp, since?: number): Promise<LogEntry>
  /** As clients write it; `path` is `/system` by default. */
  uri(scheme: string, options?: { readonly path?: string; readonly readOnly?: boolean }): string
  /** Sends a signal and resolves to the exit code, or the signal that ended it. */
  end(signal?: NodeJS.Signals): Promise<number | string>
  signal(signal: NodeJS.Signals): void
}

/** Starts a daemon and resolves once clients can connect; rejects with what it said where it ends before that. */
export async function startDaemon(options: DaemonOptions = {}): Promise<DaemonProcess> {
  const own = options.root === undefined ? await tempRoot() : undefined
  const root = options.root ?? own?.path ?? ''
  await mkdir(join(root, 'etc'), { recursive: true })
  if (options.config !== undefined) await writeFile(join(root, 'etc/covirtd.toml'), options.config)
  const child = spawnDaemon(root, options)
  const log: LogEntry[] = []
  const other: string[] = []
  const waiting = new Set<() => void>()
  let ended: number | string | undefined
  child.once('close', (code, signal) => {
    ended = code ?? signal ?? -1
    for (const wake of waiting) wake()
  })
  createInterface(child.stderr as NodeJS.ReadableStream).on('line', (line) => {
    if (line.startsWith('{')) log.push(JSON.parse(line))
    else other.push(line)
    for (const wake of waiting) wake()
  })
  const logged = async (message: string | RegExp, since = 0): Promise<LogEntry> => {
    for (;;) {
      const found = log.find((entry, index) => index >= since && entry.message.match(message))
      if (found) return found
      if (ended !== undefined) throw new Error(`covirtd ended (${ended}): ${other.join('\n')}`)
      await new Promise<void>((resolve) => {
        const wake = () => {
          waiting.delete(wake)
          resolve()
        }
        waiting.add(wake)
      })
    }
  }
  const end = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (ended === undefined) {
      const closed = once(child, 'close')
      process.kill(pid, signal)
      await closed
    }
    return ended ?? -1
  }
  let pid = child.pid ?? -1
  const socket = join(root, 'run/covirt-sock')
  try {
    pid = (await logged('covirtd is ready')).pid as number
  } catch (error) {
    await own?.[Symbol.asyncDispose]()
    throw error
  }
  return {
    root,
    socket,
    pid,
    log,
    logged,
    uri: (scheme, { path = '/system', readOnly = false } = {}) =>
      `${scheme}+unix://${path}?socket=${socket}${readOnly ? '-ro' : ''}`,
    end,
    signal: (signal) => process.kill(pid, signal),
    async [Symbol.asyncDispose]() {
      await end('SIGKILL')
      await own?.[Symbol.asyncDispose]()
    },
  }
}

function spawnDaemon(root: string, options: DaemonOptions): ChildProcess {
  const { drivers = ['test'], args = [], environment = {}, wrapper = [] } = options
  const { NODE_OPTIONS: _, ...inherited } = process.env
  const [command = '', ...parameters] = [
    ...wrapper,
    process.execPath,
    program,
    ...['--root', root, '--log-format', 'json'],
    ...drivers.flatMap((name) => ['--driver', name]),
    ...args,
  ]
  return spawn(command, parameters, {
    env: { ...inherited, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}

/** How a program ended, and what it said. */
export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end, or for 20 seconds. */
export function run(
  command: string,
  args: readonly string[],
  { uid, environment }: { readonly uid?: number; readonly environment?: NodeJS.ProcessEnv } = {},
): Promise<Outcome> {
  const { NODE_OPTIONS: _, ...inherited } = process.env
  const options = {
    timeout: patience(20_000),
    env: { ...inherited, LC_ALL: 'C', ...environment },
    ...(uid !== undefined && { uid, gid: uid }),
  }
  return new Promise((resolve) => {
    execFile(command, [...args], options, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === 'number' ? error.code : -1) : 0
      resolve({ code, stdout, stderr })
    })
  })
}

/** Runs `virsh` on a URI. */
export function virsh(uri: string, ...args: readonly string[]): Promise<Outcome> {
  return run('virsh', ['-q', '-c', uri, ...args])
}
