import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type DomainStatistics,
  type InterfaceStatistics,
  type MemoryStatistics,
  type StatisticsPart,
  statisticsParts,
} from '@covirt/core'
import { readInterfaceStatistics } from '@covirt/local'
import type { DomainXml } from '@covirt/xml'
import { containerCgroups } from '../native.js'
import { residentKib } from './list-processes.js'

/** The names of the same figure in memory.stat of version 1 and of version 2 of control groups. */
const fields = {
  faults: ['total_pgfault', 'pgfault'],
  majorFaults: ['total_pgmajfault', 'pgmajfault'],
  cacheBytes: ['total_cache', 'file'],
} as const

/**
 * As `StatisticsRole.getStatistics`. Containers have no disks, and no processors of their own; NICs are counted at the
 * host's ends of them.
 */
export async function readStatistics(
  { document, initPid }: { readonly document: DomainXml; readonly initPid: number },
  parts: readonly StatisticsPart[] = statisticsParts,
): Promise<DomainStatistics> {
  return {
    ...(parts.includes('blocks') && { blocks: [] }),
    ...(parts.includes('interfaces') && { interfaces: await readInterfaces(document) }),
    ...(parts.includes('memory') && { memory: await readMemory(document, initPid) }),
  }
}

async function readInterfaces({ devices }: DomainXml): Promise<readonly InterfaceStatistics[]> {
  const found = await Promise.all(
    devices.interfaces.map(({ target }) =>
      target?.dev === undefined ? undefined : readInterfaceStatistics(target.dev, { turned: true }),
    ),
  )
  return found.filter((each) => each !== undefined)
}

async function readMemory(document: DomainXml, initPid: number): Promise<MemoryStatistics> {
  const groups = await containerCgroups(initPid)
  const directory = groups.get('memory') ?? groups.get('')
  const read = (file: string) =>
    directory === undefined ? undefined : readFile(join(directory, file), 'utf8').catch(() => undefined)
  const legacy = groups.has('memory')
  const [usage, stat = ''] = await Promise.all([
    read(legacy ? 'memory.usage_in_bytes' : 'memory.current'),
    read('memory.stat'),
  ])
  const value = (name: keyof typeof fields) => {
    const text = new RegExp(`^${fields[name][legacy ? 0 : 1]} (\\d+)$`, 'm').exec(stat)?.[1]
    return text === undefined ? undefined : BigInt(text)
  }
  const [faults, majorFaults, cacheBytes] = [value('faults'), value('majorFaults'), value('cacheBytes')]
  return {
    actualKib: document.currentMemoryKib ?? document.memoryKib ?? 0n,
    residentKib: usage === undefined ? BigInt(await residentKib(initPid)) : BigInt(usage.trim()) / 1024n,
    majorFaults,
    minorFaults: faults === undefined ? undefined : faults - (majorFaults ?? 0n),
    diskCachesKib: cacheBytes === undefined ? undefined : cacheBytes / 1024n,
  }
}
