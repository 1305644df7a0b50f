import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Container, Options } from './container.js'
import { toLxcError } from './lxc-error.js'
import { parseErrorLine, programArguments, toError, unexpectedEnd } from './program.js'
import { spawnProgram } from './spawned-program.js'

export interface AttachOptions extends Options {
  /** The environment of the program; liblxc adds `container` and, where it is missing, a `PATH`. Default empty. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** In the container. Default `/`. */
  readonly cwd?: string | undefined
  /** In the container's user namespace. Default: its root. */
  readonly uid?: number | undefined
  readonly gid?: number | undefined
}

/** How a program in a container ended. */
export type AttachedExit = { readonly code: number } | { readonly signal: NodeJS.Signals }

/** A program that runs in a container. */
export interface Attached {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Rejects where the program could not be brought into the container (`ESRCH`: that does not run), or was aborted. */
  readonly exited: Promise<AttachedExit>
}

/**
 * Runs a program in all namespaces and cgroups of a running container. As in a shell, the exit code is 127 where
 * there is no such program and 126 where it may not be executed. Aborting kills the program itself; what it started
 * lives on.
 */
export function attach(container: Container, argv: readonly string[], options: AttachOptions = {}): Attached {
  const { cwd, uid, gid, signal } = options
  const program = spawnProgram(
    [
      ...programArguments('attach', container),
      ...['--control-fd', '3'],
      ...Object.entries(options.env ?? {}).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ...(cwd === undefined ? [] : ['--cwd', cwd]),
      ...(uid === undefined ? [] : ['--uid', String(uid)]),
      ...(gid === undefined ? [] : ['--gid', String(gid)]),
      ...['--', ...argv],
    ],
    ['read', 'write', 'write', 'write'],
  )
  const [stdin, stdout, stderr, control] = program.stdio as unknown as [
    Writable,
    Readable,
    Readable,
    Readable,
  ]
  const kill = () => program.kill(constants.signals.SIGKILL)
  const finish = async (): Promise<AttachedExit> => {
    try {
      signal?.throwIfAborted()
      const [report] = await Promise.all([text(control), program.exited])
      signal?.throwIfAborted()
      return readReport(report, container)
    } catch (error) {
      throw signal?.aborted ? signal.reason : toLxcError(error, 'attach', container.name)
    } finally {
      signal?.removeEventListener('abort', kill)
    }
  }
  if (signal?.aborted) kill()
  else signal?.addEventListener('abort', kill, { once: true })
  return { stdin, stdout, stderr, exited: finish() }
}

/** The lines that the program wrote on its control descriptor. */
function readReport(report: string, container: Container): AttachedExit {
  for (const line of report.split('\n')) {
    const failure = parseErrorLine(line)
    if (failure) throw toError(failure)
    if (line.startsWith('{"exit":')) {
      const { exit } = JSON.parse(line) as { exit: { code: number } | { signal: number } }
      return 'code' in exit ? exit : { signal: signalName(exit.signal) }
    }
  }
  throw unexpectedEnd('attach', container)
}

function signalName(number: number): NodeJS.Signals {
  const found = Object.entries(constants.signals).find(([, value]) => value === number)
  return (found?.[0] ?? `SIG${number}`) as NodeJS.Signals
}
