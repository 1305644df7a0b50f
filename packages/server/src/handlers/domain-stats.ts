import { type DomainInfo, type DomainRef, type DomainStats, isVirError, VirError } from '@covirt/core'
import { stateToNumbers, type TypedParameter } from '@covirt/protocol'
import type { Call, Handlers } from '../handler.js'
import { filterOf } from './domain-filter.js'
import { hasFlag } from './flags.js'

/** virDomainStatsTypes that there is anything for. */
const groups = { state: 1, cpu: 2, balloon: 4, vcpu: 8 }
/** virConnectGetAllDomainStatsFlags beyond those of a list: they ask for what is always so. */
const statsFlags = 0xe000_0000
/** VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS. */
const enforce = 0x8000_0000

/** virDomainMemoryStatTags. */
const memoryTags = { available: 5, balloon: 6, rss: 7 }
/** VIR_DOMAIN_JOB_NONE. */
const noJob = 0
/** VIR_VCPU_RUNNING, VIR_VCPU_OFFLINE. */
const vcpuStates = { offline: 0, running: 1 }

export const domainStatsHandlers = {
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
  domainMemoryStats: async (call, { domain, max }) => {
    const { memoryKib, maxMemoryKib } = await activeInfo(call, domain)
    const stats = [
      { tag: memoryTags.balloon, value: BigInt(memoryKib) },
      { tag: memoryTags.available, value: BigInt(maxMemoryKib) },
    ]
    return { stats: stats.slice(0, max) }
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
  domainGetMaxVcpus: async ({ driver, options }, { domain }) => ({
    count: (await driver.getDomainInfo(domain, options)).vcpus,
  }),
  domainGetVcpusFlags: async ({ driver, options }, { domain }) => ({
    count: (await driver.getDomainInfo(domain, options)).vcpus,
  }),
  domainGetVcpus: async (call, { domain, max, mapBytes }) => {
    const { vcpus, cpuTimeNs } = await activeInfo(call, domain)
    const { cpus } = await call.driver.getNodeInfo(call.options)
    const count = Math.min(vcpus, Math.max(0, max))
    const items = Array.from({ length: count }, (_, number) => ({
      number,
      state: vcpuStates.running,
      cpuTimeNs: cpuTimeNs / BigInt(vcpus),
      cpu: -1,
    }))
    return { items, cpuMaps: mapsOf(count, mapBytes, cpus) }
  },
  domainGetVcpuPinInfo: async ({ driver, options }, { domain, max, mapBytes }) => {
    const { vcpus } = await driver.getDomainInfo(domain, options)
    const { cpus } = await driver.getNodeInfo(options)
    const count = Math.min(vcpus, Math.max(0, max))
    return { cpuMaps: mapsOf(count, mapBytes, cpus), count }
  },
  connectGetAllDomainStats: async (call, { domains, stats, flags }) => {
    const known = groups.state | groups.cpu | groups.balloon | groups.vcpu
    if (hasFlag(flags, enforce) && (stats & ~known) !== 0)
      throw new VirError('ARGUMENT_UNSUPPORTED', 'Some of these statistics are not known here')
    const wanted = stats === 0 ? known : stats
    const found = domains.length > 0 ? await statsOfAll(call, domains) : await allStats(call, flags)
    return { records: found.map((each) => ({ domain: each.domain, parameters: parametersOf(each, wanted) })) }
  },
} satisfies Handlers

async function allStats({ driver, options }: Call, flags: number): Promise<readonly DomainStats[]> {
  return driver.getAllDomainStats(filterOf((flags & ~statsFlags) >>> 0), options)
}

/** Of those that there are: the rest has vanished since the client has seen them. */
async function statsOfAll(
  { driver, options }: Call,
  domains: readonly DomainRef[],
): Promise<readonly (DomainInfo & { readonly domain: DomainRef })[]> {
  const found = await Promise.all(
    domains.map(async ({ uuid }) => {
      try {
        const domain = await driver.lookupDomain({ uuid }, options)
        return { domain, ...(await driver.getDomainInfo(domain, options)) }
      } catch (error) {
        if (isVirError(error, 'NO_DOMAIN')) return undefined
        throw error
      }
    }),
  )
  return found.filter((each) => each !== undefined)
}

function parametersOf(
  info: DomainInfo & { readonly domain: DomainRef },
  wanted: number,
): readonly TypedParameter[] {
  const { state, reason } = stateToNumbers(info.state)
  const isOn = info.domain.id !== undefined
  const parameters: TypedParameter[] = []
  if (hasFlag(wanted, groups.state))
    parameters.push(
      { field: 'state.state', type: 'int', value: state },
      { field: 'state.reason', type: 'int', value: reason },
    )
  if (hasFlag(wanted, groups.cpu) && isOn)
    parameters.push({ field: 'cpu.time', type: 'ullong', value: info.cpuTimeNs })
  if (hasFlag(wanted, groups.balloon)) {
    if (isOn) parameters.push({ field: 'balloon.current', type: 'ullong', value: BigInt(info.memoryKib) })
    parameters.push({ field: 'balloon.maximum', type: 'ullong', value: BigInt(info.maxMemoryKib) })
  }
  if (hasFlag(wanted, groups.vcpu)) {
    parameters.push(
      { field: 'vcpu.current', type: 'uint', value: info.vcpus },
      { field: 'vcpu.maximum', type: 'uint', value: info.vcpus },
    )
  }
  return parameters
}

async function activeInfo({ driver, options }: Call, domain: DomainRef): Promise<DomainInfo> {
  const info = await driver.getDomainInfo(domain, options)
  if (info.state.state === 'shutoff')
    throw new VirError('OPERATION_INVALID', `Domain '${domain.name}' is not running`)
  return info
}

/** For each of `count` processors of a guest, a map in which all of the host's are set. */
function mapsOf(count: number, mapBytes: number, cpus: number): Uint8Array {
  const bytes = Math.min(Math.max(0, mapBytes), Math.ceil(cpus / 8))
  const maps = new Uint8Array(count * bytes)
  for (let vcpu = 0; vcpu < count; vcpu++)
    for (let cpu = 0; cpu < Math.min(cpus, bytes * 8); cpu++) {
      const at = vcpu * bytes + (cpu >> 3)
      maps[at] = (maps[at] ?? 0) | (1 << (cpu & 7))
    }
  return maps
}
