import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Where lxcfs(1) is mounted by its own service. */
export const lxcfsDirectory = '/var/lib/lxcfs'

/** Shown in place of the kernel's, besides what lxcfs has below `proc`. */
const below = 'sys/devices/system/cpu'

/**
 * The files by which lxcfs tells a container what it has of memory and processors, and since when it runs: each by where
 * it goes below the container's root. None where lxcfs does not run.
 */
export function lxcfsFiles(directory: string): ReadonlyMap<string, string> {
  try {
    const files = readdirSync(join(directory, 'proc'))
      .filter((name) => /^[a-z]+$/.test(name))
      .map((name) => [`proc/${name}`, join(directory, 'proc', name)] as const)
    const processors = join(directory, below)
    return new Map([...files, ...(existsSync(processors) ? [[below, processors] as const] : [])])
  } catch {
    return new Map()
  }
}
