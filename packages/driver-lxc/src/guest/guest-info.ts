import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { GuestInfo } from '@covirt/local'
import { containerCgroups } from '../native.js'
import { residentKib } from './list-processes.js'

/**
 * What the container with this init uses, from its control groups; where none of them counts memory, what its processes
 * hold.
 */
export async function readGuestInfo(initPid: number): Promise<GuestInfo> {
  const groups = await containerCgroups(initPid)
  const unified = groups.get('')
  const legacy = async (controller: string, file: string) => {
    const directory = groups.get(controller)
    return directory === undefined ? undefined : readText(join(directory, file))
  }
  const current = async (file: string) => (unified === undefined ? undefined : readText(join(unified, file)))
  const [memory, cpuNs, cpuStat] = await Promise.all([
    legacy('memory', 'memory.usage_in_bytes').then((text) => text ?? current('memory.current')),
    legacy('cpuacct', 'cpuacct.usage'),
    current('cpu.stat'),
  ])
  const cpuUs = /^usage_usec (\d+)$/m.exec(cpuStat ?? '')?.[1] ?? '0'
  return {
    memoryKib: memory === undefined ? await residentKib(initPid) : Math.round(Number(memory) / 1024),
    cpuTimeNs: cpuNs === undefined ? BigInt(cpuUs) * 1000n : BigInt(cpuNs.trim()),
  }
}

async function readText(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined)
}
