import { type FileHandle, open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { GuestProcess } from '@covirt/core'
import { containerCgroups } from '../native.js'

/** Of user programs, on all architectures that Linux runs on today (time(7): USER_HZ). */
const nsPerTick = 10_000_000n
const maxArgvBytes = 64 * 1024
/** Deeper than systemd makes control groups; more is not followed. */
const maxDepth = 32

/**
 * The processes of the container with this init, as /proc and its control groups tell. Rejects once that has ended.
 */
export async function listProcesses(initPid: number): Promise<readonly GuestProcess[]> {
  const groups = await containerCgroups(initPid)
  // Any hierarchy has all of them.
  const [directory = ''] = groups.values()
  const level = namespacePids(await readFile(`/proc/${initPid}/status`, 'utf8')).length - 1
  const pids = [...new Set(await pidsBelow(directory, maxDepth))]
  const found = await Promise.all(pids.map((pid) => describe(pid, level)))
  const processes = found.filter((each) => each !== undefined).sort((a, b) => a.innerPid - b.innerPid)
  if (!processes.some(({ pid }) => pid === initPid)) throw new Error('its init has ended')
  return processes
}

/** What the processes of the container with this init hold of memory, where they share some counted for each of them. */
export async function residentKib(initPid: number): Promise<number> {
  const processes = await listProcesses(initPid)
  return processes.reduce((sum, { memoryKib }) => sum + memoryKib, 0)
}

/** Of one that has ended meanwhile, or is not in the container: `undefined`. */
async function describe(pid: number, level: number): Promise<GuestProcess | undefined> {
  try {
    const [status, stat, argv] = await Promise.all([
      readFile(`/proc/${pid}/status`, 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readArgv(pid),
    ])
    const innerPid = namespacePids(status)[level]
    if (innerPid === undefined) return undefined
    // The name, in parentheses, may hold anything; what follows are numbers.
    const open = stat.indexOf('(')
    const close = stat.lastIndexOf(')')
    const fields = stat.slice(close + 2).split(' ')
    const ticks = BigInt(fields[11] ?? 0) + BigInt(fields[12] ?? 0)
    return {
      ...{ pid, innerPid, argv, name: stat.slice(open + 1, close) },
      memoryKib: Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0),
      cpuTimeNs: ticks * nsPerTick,
    }
  } catch {
    return undefined
  }
}

/** From the outermost namespace that we see to its own (proc_pid_status(5)). */
function namespacePids(status: string): readonly number[] {
  return (/^NSpid:\s*(.*)$/m.exec(status)?.[1] ?? '').split(/\s+/).map(Number)
}

async function pidsBelow(directory: string, depth: number): Promise<readonly number[]> {
  const own = readFile(join(directory, 'cgroup.procs'), 'utf8').catch(() => '')
  const entries = depth > 0 ? await readdir(directory, { withFileTypes: true }).catch(() => []) : []
  const children = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => pidsBelow(join(directory, name), depth - 1))
  const pids = (await own).split('\n').map(Number)
  return [pids.filter((pid) => pid > 0), ...(await Promise.all(children))].flat()
}

/** A process may make its own as long as it likes. */
async function readArgv(pid: number): Promise<readonly string[]> {
  let file: FileHandle | undefined
  try {
    file = await open(`/proc/${pid}/cmdline`)
    const buffer = Buffer.alloc(maxArgvBytes)
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, maxArgvBytes - length, length)
      length += bytesRead
      if (bytesRead === 0 || length === maxArgvBytes) break
    }
    const text = buffer.toString('utf8', 0, length)
    return text === '' ? [] : text.replace(/\0+$/, '').split('\0')
  } finally {
    await file?.close()
  }
}
