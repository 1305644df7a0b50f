import { readFileSync } from 'node:fs'
import { open, readdir, readFile, readlink } from 'node:fs/promises'
import { type ProcessStat, parseProcessStat } from '@covirt/local'
import { parseSignalMasks, type SignalMasks } from './init-kind.js'

/** What identifies a process, and whether it lives; `undefined` where there is none of this number. */
export function processIdentity(pid: number): ProcessStat | undefined {
  const text = readStat(pid)
  return text === undefined ? undefined : parseProcessStat(text)
}

/** On the spot: the kernel answers in microseconds, and a turn of the thread pool takes a hundred times as long. */
function readStat(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
}

/** rt_sigtimedwait(2), by architecture. */
const waitCalls: Readonly<Partial<Record<NodeJS.Architecture, string>>> = { x64: '128', arm64: '137' }

/** Which signals a process takes; `undefined` where it is gone. */
export async function signalMasks(pid: number): Promise<SignalMasks | undefined> {
  const [status, waited] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined),
    waitedSignals(pid).catch(() => 0n),
  ])
  if (status === undefined) return undefined
  const { blocked, caught } = parseSignalMasks(status)
  return { blocked: blocked | waited, caught }
}

/**
 * Those it is waiting for in sigwaitinfo(2): the kernel shows them as not blocked meanwhile. Their set is where
 * the first argument of the call points to.
 */
async function waitedSignals(pid: number): Promise<bigint> {
  const [call, set] = (await readFile(`/proc/${pid}/syscall`, 'utf8')).split(' ')
  if (set === undefined || call !== waitCalls[process.arch]) return 0n
  const memory = await open(`/proc/${pid}/mem`)
  try {
    const { buffer } = await memory.read(Buffer.alloc(8), 0, 8, Number(BigInt(set)))
    return buffer.readBigUInt64LE()
  } finally {
    await memory.close()
  }
}

/** The processes of `program` whose arguments hold all of `words`, but for those inside of containers. */
export async function findProcesses(program: string, words: readonly string[]): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const namespaceOf = (pid: string) => readlink(`/proc/${pid}/ns/pid`).catch(() => undefined)
  const ours = await namespaceOf('self')
  const found = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      const [command = '', ...args] = text.split('\0')
      const isMeant =
        (command === program || command.endsWith(`/${program}`)) && words.every((word) => args.includes(word))
      return isMeant && (await namespaceOf(pid)) === ours ? [Number(pid)] : []
    }),
  )
  return found.flat()
}
