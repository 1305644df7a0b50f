import { readFile, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { decodeKernelPath, VirError } from '@covirt/core'
import type { HostConditions } from './host-conditions.js'

/**
 * What this host has, as its kernel tells it, and, of networks and pools by name, as libvirt's own daemon does: it keeps
 * a file for each that is active, such as `network/default.xml`, in `libvirtRun`.
 */
export function hostConditions(libvirtRun: string): HostConditions {
  /** Whether libvirt has it active. Rejects where there is no libvirt that could. */
  const ofLibvirt = async (kind: 'network' | 'storage', name: string): Promise<boolean> => {
    if (await isThere(join(libvirtRun, kind, `${name}.xml`))) return true
    if (await isThere(join(libvirtRun, kind))) return false
    throw new VirError('NO_SUPPORT', unknownToAnybody[kind])
  }
  return {
    mount: async (path) => {
      const mounts = await readFile('/proc/self/mountinfo', 'utf8')
      return mounts.split('\n').some((line) => decodeKernelPath(line.split(' ')[4] ?? '') === path)
    },
    network: async (name) => {
      requireName(name, 'network')
      return (await isInterfaceUp(name)) ?? ofLibvirt('network', name)
    },
    pool: async (name) => {
      if (isAbsolute(name)) return (await statIfThere(name))?.isDirectory() ?? false
      requireName(name, 'pool')
      return ofLibvirt('storage', name)
    },
  }
}

/** What this host has; see {@link hostConditions}. */
export const systemConditions: HostConditions = hostConditions('/run/libvirt')

const unknownToAnybody = {
  network: 'there is no such interface, and no libvirt here that has networks by name',
  storage: 'no libvirt here has pools by name; name its directory instead',
}

function requireName(name: string, what: string): void {
  if (/^[^/\s]{1,255}$/.test(name) && name !== '.' && name !== '..') return
  throw new VirError('INVALID_ARG', `'${name}' is not the name of a ${what}`)
}

/**
 * Whether an interface can be used, `undefined` where there is none of this name: it is up (IFF_UP of net/if.h), and, but
 * for a bridge, which guests can be put on without, it has its carrier (RFC 2863; drivers that do not tell are `unknown`).
 */
async function isInterfaceUp(name: string): Promise<boolean | undefined> {
  const directory = join('/sys/class/net', name)
  const flags = await readIfThere(join(directory, 'flags'))
  if (flags === undefined) return undefined
  if ((Number(flags) & 1) === 0) return false
  if (await isThere(join(directory, 'bridge'))) return true
  const state = (await readIfThere(join(directory, 'operstate')))?.trim()
  return state === 'up' || state === 'unknown'
}

async function isThere(path: string): Promise<boolean> {
  return (await statIfThere(path)) !== undefined
}

function statIfThere(path: string) {
  return unlessMissing(stat(path))
}

function readIfThere(path: string): Promise<string | undefined> {
  return unlessMissing(readFile(path, 'utf8'))
}

async function unlessMissing<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
