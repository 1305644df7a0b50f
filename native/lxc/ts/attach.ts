import type { Socket } from 'node:net'
import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { containerCgroups, processStart } from './cgroups.js'
import { readConfinement } from './confinement.js'
import type { Container, Options } from './container.js'
import { toLxcError } from './lxc-error.js'
import { parseErrorLine, programArguments, toError, unexpectedEnd } from './program.js'
import { spawnInside } from './spawned-program.js'

/** Numbers of clone(2), by the names in `/proc/PID/ns`. */
const namespaceFlags = {
  cgroup: 0x0200_0000,
  ipc: 0x0800_0000,
  mnt: 0x0002_0000,
  net: 0x4000_0000,
  pid: 0x2000_0000,
  time: 0x0000_0080,
  user: 0x1000_0000,
  uts: 0x0400_0000,
} as const

/** A kind of namespace, as in `/proc/PID/ns`. */
export type NamespaceKind = keyof typeof namespaceFlags

export interface AttachOptions extends Options {
  /** The environment of the program; liblxc adds `container` and, where it is missing, a `PATH`. Default empty. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** In the container. Default `/`. */
  readonly cwd?: string | undefined
  /** In the container's user namespace. Default: its root. */
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  /** Gives the program a terminal of the container's, of this size. */
  readonly tty?: { readonly columns: number; readonly rows: number } | undefined
  /** The container's namespaces that it enters. Default all. */
  readonly namespaces?: readonly NamespaceKind[] | undefined
  /** Of the container, where it is known: what is run comes to be there several times as fast. */
  readonly initPid?: number | undefined
}

/** How a program in a container ended. */
export type AttachedExit = { readonly code: number } | { readonly signal: NodeJS.Signals }

/** A program that runs in a container. */
export interface Attached {
  readonly pid: number
  /** With a terminal, its end is ^D. */
  readonly stdin: Writable
  /** With a terminal, all that it prints. */
  readonly stdout: Readable
  readonly stderr: Readable
  /** Rejects where it was aborted, or is not heard of any more. */
  readonly exited: Promise<AttachedExit>
  /** Does nothing without a terminal. */
  resize(columns: number, rows: number): void
  /** Sends a signal to its process group. */
  kill(signal: NodeJS.Signals): void
}

/**
 * Runs a program in namespaces and cgroups of a running container, as leader of a session of its own; resolves once
 * it is there. As in a shell, the exit code is 127 where there is no such program and 126 where it may not be
 * executed. Rejects where it could not be brought into the container; `ESRCH`: that does not run. Aborting kills its
 * process group, whenever that is; so does our end.
 */
export async function attach(
  container: Container,
  argv: readonly string[],
  options: AttachOptions = {},
): Promise<Attached> {
  const { signal } = options
  signal?.throwIfAborted()
  let abandon: (() => void) | undefined
  const forget = () => abandon && signal?.removeEventListener('abort', abandon)
  const failure = (error: unknown) =>
    signal?.aborted ? signal.reason : toLxcError(error, 'attach', container.name)
  try {
    const { words, environment } = await shortCut(container, options)
    const { stdin, stdout, stderr, control, kill } = spawn(container, [...words, '--', ...argv], {
      ...options,
      env: { ...environment, ...options.env },
    })
    // It may hang before it listens, where the container is frozen.
    let isThere = false
    abandon = () => (isThere ? control.end() : kill(constants.signals.SIGKILL))
    signal?.addEventListener('abort', abandon, { once: true })
    const report = new Report(container, control)
    const pid = await report.pid.catch((error: unknown) => {
      for (const stream of [stdin, stdout, stderr]) stream.destroy()
      throw error
    })
    isThere = true
    if (signal?.aborted) abandon()
    const exited = report.exit.then(
      (exit) => {
        forget()
        // Nobody reads it any more; what the program printed may still be read.
        stdin.destroy()
        if (!signal?.aborted) return exit
        for (const stream of [stdout, stderr]) stream.destroy()
        throw signal.reason
      },
      (error: unknown) => {
        forget()
        for (const stream of [stdin, stdout, stderr]) stream.destroy()
        throw failure(error)
      },
    )
    exited.catch(() => {})
    const say = (line: string) => void (control.writable && control.write(`${line}\n`))
    return {
      ...{ pid, stdin, stdout, stderr, exited },
      resize: (columns, rows) => say(`resize ${columns} ${rows}`),
      kill: (name) => say(`signal ${constants.signals[name]}`),
    }
  } catch (error) {
    forget()
    throw failure(error)
  }
}

interface Spawned {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  readonly control: Socket
  readonly kill: (signal: number) => void
}

/** What spares the program to ask liblxc and the container's monitor, as far as it is known. */
interface ShortCut {
  readonly words: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

/** Of the run of each container in which a program was run last: it does not change while its init is there. */
const shortCuts = new WeakMap<Container, ShortCut & { readonly run: string }>()

async function shortCut(
  container: Container,
  { initPid, signal, namespaces }: AttachOptions,
): Promise<ShortCut> {
  const start = initPid === undefined ? undefined : processStart(initPid)
  if (initPid === undefined || start === undefined) return { words: [], environment: {} }
  const run = `${initPid}:${start}`
  const known = shortCuts.get(container)
  if (known?.run === run && namespaces === undefined) return known
  const groups = await groupArguments(initPid)
  const isWhole = groups.length > 0 && namespaces === undefined
  const confinement = isWhole ? await readConfinement(container, { signal }) : undefined
  if (!confinement) return { words: groups, environment: {} }
  const { environment, noNewPrivileges, filter } = confinement
  const found = {
    run,
    words: [
      ...groups,
      ...['--init', run],
      ...(noNewPrivileges ? ['--no-new-privileges'] : []),
      ...(filter === '' ? [] : ['--filter', filter]),
    ],
    environment,
  }
  shortCuts.set(container, found)
  return found
}

/** The control groups of the container with this init, if all of them are known to be its own. */
async function groupArguments(initPid: number): Promise<string[]> {
  const cgroups = await containerCgroups(initPid).catch(() => new Map<string, string>())
  const unified = cgroups.get('')
  const directories = new Set(cgroups.values())
  if ([...directories].some((directory) => !/\/lxc\.payload[^/]*$/.test(directory))) return []
  if (unified !== undefined) directories.delete(unified)
  return [
    ...[...directories].flatMap((directory) => ['--cgroup', directory]),
    ...(unified === undefined ? [] : ['--unified-cgroup', unified]),
  ]
}

/** With pipes: a program that opens `/dev/stdout` could not open a socket. */
function spawn(container: Container, words: readonly string[], options: AttachOptions): Spawned {
  const { cwd, uid, gid, tty, namespaces, env } = options
  const mask = namespaces?.reduce((sum, kind) => sum | namespaceFlags[kind], 0)
  const args = [
    ...programArguments('attach', container),
    ...['--control-fd', '3'],
    ...(cwd === undefined ? [] : ['--cwd', cwd]),
    ...(uid === undefined ? [] : ['--uid', String(uid)]),
    ...(gid === undefined ? [] : ['--gid', String(gid)]),
    ...(tty === undefined ? [] : ['--tty', `${tty.columns}x${tty.rows}`]),
    ...(mask === undefined ? [] : ['--namespaces', String(mask)]),
    ...words,
  ]
  const { stdio, kill } = spawnInside(args, ['read', 'write', 'write', 'both'], env)
  const [stdin, stdout, stderr, control] = stdio as [Socket, Socket, Socket, Socket]
  // The program need not read all that it is given.
  stdin.on('error', () => {})
  return { stdin, stdout, stderr, control, kill }
}

/** What the program `covirt-lxc` says on its control descriptor. */
class Report {
  readonly pid: Promise<number>
  readonly exit: Promise<AttachedExit>

  constructor(container: Container, control: Socket) {
    const pid = new Deferred<number>()
    const exit = new Deferred<AttachedExit>()
    this.pid = pid.promise
    this.exit = exit.promise
    const fail = (error: unknown) => {
      pid.reject(error)
      exit.reject(error)
    }
    // Who awaits `pid` hears of it; `exit` is looked at only after that.
    this.exit.catch(() => {})
    let rest = ''
    control.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const failure = parseErrorLine(line)
        if (failure) fail(toError(failure))
        else if (line.startsWith('{"pid":')) pid.resolve((JSON.parse(line) as { pid: number }).pid)
        else if (line.startsWith('{"exit":')) exit.resolve(readExit(line))
      }
    })
    // It may have ended before it read what it was told.
    control.on('error', () => {})
    control.on('close', () => fail(unexpectedEnd('attach', container)))
  }
}

class Deferred<T> {
  resolve: (value: T) => void = () => {}
  reject: (error: unknown) => void = () => {}
  readonly promise = new Promise<T>((resolve, reject) => {
    this.resolve = resolve
    this.reject = reject
  })
}

function readExit(line: string): AttachedExit {
  const { exit } = JSON.parse(line) as { exit: { code: number } | { signal: number } }
  return 'code' in exit ? exit : { signal: signalName(exit.signal) }
}

function signalName(number: number): NodeJS.Signals {
  const found = Object.entries(constants.signals).find(([, value]) => value === number)
  return (found?.[0] ?? `SIG${number}`) as NodeJS.Signals
}
