import { lstat, readlink } from 'node:fs/promises'
import { join } from 'node:path'

/** The kernel's own limit of links in one path (path_resolution(7)). */
const maxLinks = 40

/**
 * Where `path` leads for a process whose root directory is `root`: links are followed, absolute ones and `..`
 * too, and none leads out of it. Returns the path as seen inside; `undefined` where there is nothing.
 */
export async function resolveInRoot(root: string, path: string): Promise<string | undefined> {
  const rest = path.split('/').reverse()
  let resolved: readonly string[] = []
  let links = 0
  while (rest.length > 0) {
    const part = rest.pop() ?? ''
    if (part === '' || part === '.') continue
    if (part === '..') {
      resolved = resolved.slice(0, -1)
      continue
    }
    const next = [...resolved, part]
    const file = await lstat(join(root, ...next)).catch(() => undefined)
    if (!file) return undefined
    if (!file.isSymbolicLink()) {
      resolved = next
      continue
    }
    if (++links > maxLinks) return undefined
    const target = await readlink(join(root, ...next))
    if (target.startsWith('/')) resolved = []
    rest.push(...target.split('/').reverse())
  }
  return `/${resolved.join('/')}`
}
