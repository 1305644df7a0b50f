/** What the kernel tells of a process in `/proc/PID/stat` (proc_pid_stat(5)). */
export interface ProcessStat {
  /** It has not ended, nor waits to be waited for. */
  readonly alive: boolean
  /** It has been killed or has called exit(2), and the kernel is taking it down: it does nothing any more. */
  readonly exiting: boolean
  readonly parent: number
  /** Processor time used in user and in kernel mode together, in clock ticks. */
  readonly cpuTicks: bigint
  /** When it was started, in clock ticks since boot: with its number it identifies a process beyond doubt. */
  readonly startTicks: number
}

/** PF_EXITING, in the flags of a process (field 9). */
const exitingFlag = 0x4

/** Reads the content of a `/proc/PID/stat`. */
export function parseProcessStat(text: string): ProcessStat {
  // The name in parentheses may hold anything, parentheses too; what follows it are fields 3 and on.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return {
    alive: !/[ZXx]/.test(fields[0] ?? 'X'),
    exiting: (Number(fields[6] ?? 0) & exitingFlag) !== 0,
    parent: Number(fields[1]),
    cpuTicks: BigInt(fields[11] ?? 0) + BigInt(fields[12] ?? 0),
    startTicks: Number(fields[19]),
  }
}
