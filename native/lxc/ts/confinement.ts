import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Container, Options } from './container.js'
import { LxcError } from './lxc-error.js'
import { runProgram } from './program.js'

/** What holds the programs of a container, beside what its init tells by its /proc. */
export interface Confinement {
  /** What the configuration gives to all programs. */
  readonly environment: Readonly<Record<string, string>>
  readonly noNewPrivileges: boolean
  /** Of system calls, in hexadecimal digits; empty for none. */
  readonly filter: string
}

/** Of lxc.container.conf(5), what means nothing to programs that come later, or shows in what init has. */
const settled =
  /^lxc\.(?:uts\.name|rootfs\.(?:path|options)|mount\.(?:auto|entry)|net\.\d+\.[a-z0-9_.]+|idmap|cap\.(?:drop|keep)|cgroup2?\.[a-z0-9_.]+|init\.[a-z]+|signal\.[a-z]+|console\.[a-z.]+|tty\.[a-z]+|pty\.max|log\.[a-z]+|time\.offset\.[a-z]+)$/i

/** How this machine's architecture is called there. */
const ownArchitectures: Readonly<Partial<Record<NodeJS.Architecture, readonly string[]>>> = {
  x64: ['x86_64', 'amd64'],
  arm64: ['aarch64', 'arm64'],
}

interface Plain {
  readonly environment: Readonly<Record<string, string>>
  readonly noNewPrivileges: boolean
  readonly profile: string | undefined
}

/**
 * What a configuration says of programs, where all that it says is known not to ask for more than that; `undefined`
 * else.
 */
export function readPlainConfig(text: string): Plain | undefined {
  const environment: Record<string, string> = {}
  let noNewPrivileges = false
  let profile: string | undefined
  for (const line of text.split('\n')) {
    if (/^\s*(?:#|$)/.test(line)) continue
    const [, key = '', value = ''] = /^\s*(lxc\.[^\s=]+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (settled.test(key)) continue
    const [variable, name = '', content = ''] = /^([^"'=\s][^=]*)=(.*)$/.exec(value) ?? []
    if (key === 'lxc.environment' && variable !== undefined) environment[name] = content
    else if (key === 'lxc.no_new_privs' && /^[01]$/.test(value)) noNewPrivileges = value === '1'
    else if (key === 'lxc.seccomp.profile' && value.startsWith('/')) profile = value
    else if (key !== 'lxc.arch' || !ownArchitectures[process.arch]?.includes(value)) return undefined
  }
  return { environment, noNewPrivileges, profile }
}

/** What liblxc makes of each profile, which takes it some milliseconds; `undefined` where that cannot be told. */
const filters = new Map<string, string | undefined>()
/** Those that are being asked for: who comes meanwhile does not wait for that. */
const asked = new Set<string>()
/** Profiles are few: there is one for each kind of container. */
const maxFilters = 100

/** Of a running container that was started with its configuration file as it is. `undefined` where only liblxc can tell. */
export async function readConfinement(
  container: Container,
  options: Options,
): Promise<Confinement | undefined> {
  // The files and the kernel's filters are root's.
  if (process.geteuid?.() !== 0) return undefined
  const plain = readPlainConfig(readFileSync(join(container.path, container.name, 'config'), 'utf8'))
  if (!plain) return undefined
  const { environment, noNewPrivileges, profile } = plain
  if (profile === undefined) return { environment, noNewPrivileges, filter: '' }
  const filter = await filterOf(container, readFileSync(profile, 'utf8'), options)
  return filter === undefined ? undefined : { environment, noNewPrivileges, filter }
}

async function filterOf(
  container: Container,
  profile: string,
  { signal }: Options,
): Promise<string | undefined> {
  if (filters.has(profile) || asked.has(profile)) return filters.get(profile)
  asked.add(profile)
  try {
    const { filter } = (await runProgram('filter', container, [], { signal })) as { filter: string }
    // It may not have been able to ask for the profile: it goes on without one then.
    if (filter === '') return undefined
    if (filters.size >= maxFilters) filters.clear()
    filters.set(profile, filter)
    return filter
  } catch (error) {
    signal?.throwIfAborted()
    // A container that has ended tells nothing of the next one's.
    if (!(error instanceof LxcError && error.code === 'ESRCH')) filters.set(profile, undefined)
    return undefined
  } finally {
    asked.delete(profile)
  }
}
