import { type DomainInfo, type DomainRef, type VcpuStatistics, VirError } from '@covirt/core'
import { limits, stateToNumbers } from '@covirt/protocol'
import type { Call, Handlers } from '../handler.js'

/** VIR_DOMAIN_JOB_NONE. */
const noJob = 0
/** On which processor of the host a guest's one runs. */
const notKnown = -1
/** virVcpuState: the position is the number. */
export const vcpuStates = ['offline', 'running', 'blocked'] as const

export const domainInfoHandlers = {
  domainGetState: async ({ driver, options }, { domain }) =>
    stateToNumbers(await driver.getDomainState(domain, options)),
  domainGetInfo: async ({ driver, options }, { domain }) => {
    const info = await driver.getDomainInfo(domain, options)
    const { state } = stateToNumbers(info.state)
    const { vcpus, cpuTimeNs } = info
    // Of a domain that is off libvirt tells what it would have.
    const memoryKib = info.memoryKib || (info.state.state === 'shutoff' ? info.maxMemoryKib : 0)
    return {
      state,
      maxMemoryKib: BigInt(info.maxMemoryKib),
      memoryKib: BigInt(memoryKib),
      vcpus,
      cpuTimeNs,
    }
  },
  domainGetControlInfo: async (call, { domain }) => {
    await activeInfo(call, domain)
    return { state: 0, details: 0, stateTimeMs: 0n }
  },
  domainGetJobInfo: async (call, { domain }) => {
    await activeInfo(call, domain)
    return {
      type: noJob,
      timeElapsedMs: 0n,
      timeRemainingMs: 0n,
      dataTotal: 0n,
      dataProcessed: 0n,
      dataRemaining: 0n,
      memoryTotal: 0n,
      memoryProcessed: 0n,
      memoryRemaining: 0n,
      fileTotal: 0n,
      fileProcessed: 0n,
      fileRemaining: 0n,
    }
  },
  domainGetJobStats: async (call, { domain }) => {
    await activeInfo(call, domain)
    return { type: noJob, parameters: [] }
  },
  domainGetCpuStats: async (call, { domain, count, startCpu, cpuCount }) => {
    const { cpuTimeNs } = await activeInfo(call, domain)
    const { cpus } = await call.driver.getNodeInfo(call.options)
    // Asked in turn: how many processors there are, how many values there are of each, and of all together.
    if (startCpu >= 0) return { parameters: [], count: count === 0 && cpuCount === 0 ? cpus : 0 }
    if (count === 0) return { parameters: [], count: 1 }
    return { parameters: [{ field: 'cpu_time', type: 'ullong', value: cpuTimeNs }], count: 1 }
  },
  domainGetMessages: async ({ driver, options }, { domain }) => {
    await driver.lookupDomain({ uuid: domain.uuid }, options)
    return { messages: [] }
  },
  domainGetMaxMemory: async ({ driver, options }, { domain }) => ({
    memoryKib: BigInt((await driver.getDomainInfo(domain, options)).maxMemoryKib),
  }),
  domainGetVcpus: async (call, { domain, max, mapBytes }) => {
    const vcpus = await vcpusOf(call, domain)
    const { cpus } = await call.driver.getNodeInfo(call.options)
    const bytes = mapBytesOf(mapBytes, cpus)
    const items = vcpus
      .slice(0, countOf(vcpus.length, max, bytes))
      .map(({ number, state, timeNs, hostCpu }) => ({
        number,
        state: vcpuStates.indexOf(state),
        cpuTimeNs: timeNs,
        cpu: hostCpu ?? notKnown,
      }))
    return { items, cpuMaps: mapsOf(items.length, bytes, cpus) }
  },
  domainGetVcpuPinInfo: async ({ driver, options }, { domain, max, mapBytes }) => {
    const { vcpus } = await driver.getDomainInfo(domain, options)
    const { cpus } = await driver.getNodeInfo(options)
    const bytes = mapBytesOf(mapBytes, cpus)
    const count = countOf(vcpus, max, bytes)
    return { cpuMaps: mapsOf(count, bytes, cpus), count }
  },
} satisfies Handlers

/** The information about a domain that is active; `OPERATION_INVALID` where it is not. */
export async function activeInfo({ driver, options }: Call, domain: DomainRef): Promise<DomainInfo> {
  const info = await driver.getDomainInfo(domain, options)
  if (info.state.state === 'shutoff')
    throw new VirError('OPERATION_INVALID', `Domain '${domain.name}' is not running`)
  return info
}

/** How many bytes a map of the host's processors has, of `wanted`. */
function mapBytesOf(wanted: number, cpus: number): number {
  return Math.min(Math.max(0, wanted), Math.ceil(cpus / 8), limits.cpuMapBytes)
}

/** Of how many of a guest's processors is told, where `wanted` are asked for: no more than go into one answer. */
function countOf(vcpus: number, wanted: number, mapBytes: number): number {
  const most = Math.floor(limits.cpuMapsBytes / Math.max(1, mapBytes))
  return Math.max(0, Math.min(vcpus, wanted, limits.vcpus, most))
}

/** For each of `count` processors of a guest, a map in which all of the host's are set. */
function mapsOf(count: number, bytes: number, cpus: number): Uint8Array {
  const map = new Uint8Array(bytes)
  for (let cpu = 0; cpu < Math.min(cpus, bytes * 8); cpu++)
    map[cpu >> 3] = (map[cpu >> 3] ?? 0) | (1 << (cpu & 7))
  const maps = new Uint8Array(count * bytes)
  for (let vcpu = 0; vcpu < count; vcpu++) maps.set(map, vcpu * bytes)
  return maps
}

/** What each processor of an active domain does; where the driver does not count them, all do the same. */
async function vcpusOf(call: Call, domain: DomainRef): Promise<readonly VcpuStatistics[]> {
  const { driver, options } = call
  const counted = await driver.statistics?.getStatistics(domain, { ...options, parts: ['vcpus'] })
  if (counted?.vcpus) return counted.vcpus
  const { vcpus, cpuTimeNs } = await activeInfo(call, domain)
  return Array.from({ length: Math.min(vcpus, limits.vcpus) }, (_, number) => ({
    number,
    state: 'running',
    timeNs: cpuTimeNs / BigInt(Math.max(1, vcpus)),
  }))
}
