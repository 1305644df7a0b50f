import { readFile, realpath } from 'node:fs/promises'
import { decodeKernelPath, VirError } from '@covirt/core'

/**
 * `OPERATION_FAILED` where something is mounted in a directory that is to be removed, or on it: what that shows is another
 * place's, also where it is of the same file system.
 */
export async function requireNothingMounted(directory: string): Promise<void> {
  const [mounted] = await mountPointsIn(directory)
  if (mounted !== undefined) {
    throw new VirError('OPERATION_FAILED', `Cannot remove ${directory}: ${mounted} is mounted`, {
      hint: `Unmount it (umount ${mounted}) and try again`,
    })
  }
}

/** What is mounted in a directory, or on it, by /proc/self/mountinfo, which writes blanks and the like in octal (proc_pid_mountinfo(5)). */
export async function mountPointsIn(directory: string): Promise<string[]> {
  const real = await realpath(directory).catch(() => directory)
  const table = await readFile('/proc/self/mountinfo', 'utf8')
  const points = table.split('\n').map((line) => decodeKernelPath(line.split(' ')[4] ?? ''))
  return points.filter((point) => point === real || point.startsWith(`${real}/`))
}
