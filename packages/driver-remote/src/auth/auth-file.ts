import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, VirError } from '@covirt/core'

type Environment = Readonly<Record<string, string | undefined>>

/** What a file with credentials says of one host; either may be missing. */
export interface AuthFileEntry {
  readonly user: string | undefined
  readonly password: string | undefined
}

/**
 * What libvirt's clients would answer to the daemon on `host`, from the file `path`, or else from the first there is of
 * `$LIBVIRT_AUTH_FILE`, `auth.conf` in the calling user's directory, and the host's. `undefined` where none says
 * anything of it; `NO_CONNECT` where a file that was named cannot be read.
 */
export async function readAuthFile(
  path: string | undefined,
  host: string,
  environment: Environment = process.env,
): Promise<AuthFileEntry | undefined> {
  const named = path ?? environment.LIBVIRT_AUTH_FILE
  for (const each of named === undefined ? usualPlaces(environment) : [named]) {
    const text = await read(each, named !== undefined)
    if (text !== undefined) return entryFor(host, text)
  }
  return undefined
}

function usualPlaces({ XDG_CONFIG_HOME: config, HOME: home }: Environment): readonly string[] {
  const own = config ?? (home === undefined ? undefined : join(home, '.config'))
  return [...(own === undefined ? [] : [join(own, 'libvirt/auth.conf')]), '/etc/libvirt/auth.conf']
}

async function read(path: string, isNamed: boolean): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (!isNamed && (cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new VirError('NO_CONNECT', `${path} cannot be read: ${messageOf(cause)}`, { domain: 'RPC', cause })
  }
}

/** Of libvirt's format: a group for each host names a group with what is known there. */
function entryFor(host: string, text: string): AuthFileEntry | undefined {
  const groups = groupsOf(text)
  const of = groups.get(`auth-libvirt-${host}`) ?? groups.get('auth-libvirt-default')
  const found = of && groups.get(`credentials-${of.get('credentials')}`)
  return found && { user: found.get('authname') ?? found.get('username'), password: found.get('password') }
}

function groupsOf(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const groups = new Map<string, Map<string, string>>()
  let current = new Map<string, string>()
  for (const line of text.split('\n')) {
    const group = /^\s*\[([^\]]+)\]/.exec(line)?.[1]
    const [, key, value] = /^\s*([\w-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (group !== undefined) {
      current = groups.get(group) ?? new Map<string, string>()
      groups.set(group, current)
    } else if (key !== undefined && value !== undefined) current.set(key, value)
  }
  return groups
}
