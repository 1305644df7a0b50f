import { readFile } from 'node:fs/promises'

/**
 * Which boot of this host it is: the kernel's boot id (random(4)) with the start time of process 1 (proc_pid_stat(5)),
 * because a host may be a container itself, which restarts without its kernel.
 */
export async function readBootIdentity(): Promise<string> {
  const id = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  const stat = await readFile('/proc/1/stat', 'utf8')
  // The second field is a name in parentheses, which may have anything in it.
  const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  return `${id}/${startTime}`
}
