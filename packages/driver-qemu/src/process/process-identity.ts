import { readdir, readFile, readlink } from 'node:fs/promises'
import { parseProcessStat } from '@covirt/local'

/** Which process, beyond doubt: a pid alone may be another process's by now. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it was started, in clock ticks since boot (proc(5): field 22 of stat), as text. */
  readonly startTime: string
}

/** A process that runs, with what it has used. */
export interface RunningProcess extends ProcessIdentity {
  /** In user and kernel mode together, in nanoseconds. */
  readonly cpuTimeNs: bigint
}

/** Linux reports times in hundredths of a second, whatever the kernel's own rate (time(7): USER_HZ). */
const nanosecondsPerTick = 10_000_000n

/** What the process is and has used; `undefined` where it is gone or a zombie. */
export async function readProcessStat(pid: number): Promise<RunningProcess | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined)
  if (text === undefined) return undefined
  const { alive, startTicks, cpuTicks } = parseProcessStat(text)
  return alive ? { pid, startTime: String(startTicks), cpuTimeNs: cpuTicks * nanosecondsPerTick } : undefined
}

/** Whether this very process still runs. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await readProcessStat(identity.pid))?.startTime === identity.startTime
}

/** Whether the process was started with `argument` on its command line. */
export async function hasArgument(pid: number, argument: string): Promise<boolean> {
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return line.split('\0').includes(argument)
}

/**
 * The processes that work in `directory` and were started with `argument`: how a process is found that
 * somebody launched who died before he could note its pid.
 */
export async function findProcesses(directory: string, argument: string): Promise<ProcessIdentity[]> {
  const pids = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name)).map(Number)
  const found = await Promise.all(
    pids.map(async (pid) => {
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined)
      // A removed directory keeps its name, with this mark.
      if (cwd !== directory && cwd !== `${directory} (deleted)`) return undefined
      return (await hasArgument(pid, argument)) ? readProcessStat(pid) : undefined
    }),
  )
  return found.filter((stat) => stat !== undefined).map(({ pid, startTime }) => ({ pid, startTime }))
}
