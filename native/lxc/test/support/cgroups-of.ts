import { readdirSync } from 'node:fs'

/** The cgroups of a container and its monitor, in all hierarchies. */
export function cgroupsOf(name: string): string[] {
  const roots = readdirSync('/sys/fs/cgroup')
  return roots.flatMap((root) => list(`/sys/fs/cgroup/${root}`)).filter((entry) => entry.includes(name))
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
