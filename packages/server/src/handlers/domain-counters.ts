import {
  type BlockStatistics,
  type DomainRef,
  type DomainStatistics,
  type MemoryStatistics,
  requireRole,
  type StatisticsPart,
  VirError,
} from '@covirt/core'
import { impact, type TypedParameter } from '@covirt/protocol'
import type { Call, Handlers } from '../handler.js'
import { activeInfo } from './domain-info.js'
import { checkFlags } from './flags.js'

/** virDomainMemoryStatTags: the position is the number. */
const memoryTags: readonly (keyof MemoryStatistics)[] = [
  'swappedInKib',
  'swappedOutKib',
  'majorFaults',
  'minorFaults',
  'unusedKib',
  'availableKib',
  'actualKib',
  'residentKib',
  'usableKib',
  'updatedAt',
  'diskCachesKib',
]

/** What libvirt answers for a counter that is not kept. */
const notCounted = -1n

export const domainCountersHandlers = {
  domainBlockStats: async (call, { domain, path }) => {
    const block = await findBlock(call, domain, path)
    return {
      readRequests: block.readRequests,
      readBytes: block.readBytes,
      writeRequests: block.writeRequests,
      writeBytes: block.writeBytes,
      errors: notCounted,
    }
  },
  domainBlockStatsFlags: async (call, { domain, path, count }) => {
    const counters = blockCounters(await findBlock(call, domain, path))
    // Asked twice: how many there are, then for as many.
    if (count === 0) return { parameters: [], count: counters.length }
    const parameters = counters.slice(0, Math.max(0, count))
    return { parameters, count: parameters.length }
  },
  domainGetBlockInfo: async (call, { domain, path, flags }) => {
    checkFlags(flags, 0, 'the size of a disk')
    const {
      allocationBytes = 0n,
      capacityBytes = 0n,
      physicalBytes = 0n,
    } = await findBlock(call, domain, path)
    return { allocation: allocationBytes, capacity: capacityBytes, physical: physicalBytes }
  },
  domainInterfaceStats: async (call, { domain, device }) => {
    const { interfaces = [] } = await countersOf(call, domain, 'interfaces')
    const found = interfaces.find(({ target }) => target === device)
    if (!found) throw new VirError('INVALID_ARG', `Domain '${domain.name}' has no interface '${device}'`)
    return {
      rxBytes: found.receivedBytes,
      rxPackets: found.receivedPackets,
      rxErrors: found.receivedErrors,
      rxDropped: found.receivedDropped,
      txBytes: found.sentBytes,
      txPackets: found.sentPackets,
      txErrors: found.sentErrors,
      txDropped: found.sentDropped,
    }
  },
  domainMemoryStats: async (call, { domain, max, flags }) => {
    checkFlags(flags, impact.live | impact.config, "a guest's memory")
    const memory = await memoryOf(call, domain)
    const stats = memoryTags.flatMap((name, tag) => {
      const value = memory[name]
      return value === undefined ? [] : [{ tag, value }]
    })
    return { stats: stats.slice(0, max) }
  },
} satisfies Handlers

/** The counters of one disk, as libvirt names them. */
function blockCounters(block: BlockStatistics): readonly TypedParameter[] {
  const counter = (field: string, value: bigint): TypedParameter => ({ field, type: 'llong', value })
  return [
    counter('rd_operations', block.readRequests),
    counter('rd_bytes', block.readBytes),
    counter('rd_total_times', block.readTimeNs),
    counter('wr_operations', block.writeRequests),
    counter('wr_bytes', block.writeBytes),
    counter('wr_total_times', block.writeTimeNs),
    counter('flush_operations', block.flushRequests),
    counter('flush_total_times', block.flushTimeNs),
  ]
}

async function memoryOf(call: Call, domain: DomainRef): Promise<MemoryStatistics> {
  if (call.driver.statistics) {
    const { memory } = await countersOf(call, domain, 'memory')
    if (memory) return memory
  }
  const { memoryKib, maxMemoryKib } = await activeInfo(call, domain)
  return { actualKib: BigInt(memoryKib), availableKib: BigInt(maxMemoryKib) }
}

/** The disk with this target or source. */
async function findBlock(call: Call, domain: DomainRef, path: string): Promise<BlockStatistics> {
  const { blocks = [] } = await countersOf(call, domain, 'blocks')
  const found = blocks.find((block) => block.target === path || block.path === path)
  if (found) return found
  throw new VirError('INVALID_ARG', `Domain '${domain.name}' has no disk '${path}'`)
}

function countersOf(
  { driver, options }: Call,
  domain: DomainRef,
  part: StatisticsPart,
): Promise<DomainStatistics> {
  return requireRole(driver, 'statistics').getStatistics(domain, { ...options, parts: [part] })
}
