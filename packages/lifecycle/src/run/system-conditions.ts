import { readFile, stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { VirError } from '@covirt/core'
import type { HostConditions } from './host-conditions.js'

/** What this host has, as its kernel tells it. */
export const systemConditions: HostConditions = {
  mount: async (path) => {
    const mounts = await readFile('/proc/self/mountinfo', 'utf8')
    return mounts.split('\n').some((line) => unescaped(line.split(' ')[4] ?? '') === path)
  },
  network: async (name) => {
    if (!/^[^/\s]{1,15}$/.test(name) || name === '.' || name === '..') {
      throw new VirError('INVALID_ARG', `'${name}' is not the name of an interface`)
    }
    try {
      const flags = Number(await readFile(`/sys/class/net/${name}/flags`, 'utf8'))
      // IFF_UP of net/if.h: a bridge without carrier is one that guests can be put on.
      return (flags & 1) === 1
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    }
  },
  pool: async (name) => {
    if (!isAbsolute(name)) {
      throw new VirError('NO_SUPPORT', `pools are not known by name here; '${name}' is to be a directory`)
    }
    try {
      return (await stat(name)).isDirectory()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    }
  },
}

/** Spaces and the like are octal in mountinfo (proc_pid_mountinfo(5)). */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_all, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  )
}
