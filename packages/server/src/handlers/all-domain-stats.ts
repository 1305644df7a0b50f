import {
  type DomainInfo,
  type DomainRef,
  type DomainStatistics,
  isVirError,
  type StatisticsPart,
  VirError,
} from '@covirt/core'
import { stateToNumbers, type TypedParameter } from '@covirt/protocol'
import type { Call, Handlers } from '../handler.js'
import { filterOf } from './domain-filter.js'
import { vcpuStates } from './domain-info.js'
import { hasFlag } from './flags.js'

/** virDomainStatsTypes that there is anything for. */
const groups = { state: 1, cpu: 2, balloon: 4, vcpu: 8, interface: 16, block: 32 }
const known = Object.values(groups).reduce((sum, flag) => sum | flag, 0)
/** Which of them a driver counts by device. */
const parts: readonly (readonly [number, StatisticsPart])[] = [
  [groups.balloon, 'memory'],
  [groups.vcpu, 'vcpus'],
  [groups.interface, 'interfaces'],
  [groups.block, 'blocks'],
]
/** virConnectGetAllDomainStatsFlags beyond those of a list: they ask for what is always so. */
const statsFlags = 0xe000_0000
/** VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS. */
const enforce = 0x8000_0000

interface Found extends DomainInfo {
  readonly domain: DomainRef
}

export const allDomainStatsHandlers = {
  connectGetAllDomainStats: async (call, { domains, stats, flags }) => {
    if (hasFlag(flags, enforce) && (stats & ~known) !== 0)
      throw new VirError('ARGUMENT_UNSUPPORTED', 'Some of these statistics are not known here')
    const wanted = stats === 0 ? known : stats
    const found: readonly Found[] =
      domains.length > 0 ? await these(call, domains) : await all(call, (flags & ~statsFlags) >>> 0)
    const counted = await Promise.all(found.map((each) => countersOf(call, each, wanted)))
    return {
      records: found.map((each, index) => ({
        domain: each.domain,
        parameters: [...general(each, wanted, counted[index]), ...devices(counted[index])],
      })),
    }
  },
} satisfies Handlers

async function all({ driver, options }: Call, flags: number): Promise<readonly Found[]> {
  return driver.getAllDomainStats(filterOf(flags), options)
}

/** Of those that there are: the rest has vanished since the client has seen them. */
async function these({ driver, options }: Call, domains: readonly DomainRef[]): Promise<readonly Found[]> {
  // Each once, however often it is named.
  const uuids = new Set(domains.map(({ uuid }) => uuid))
  const found = await Promise.all(
    [...uuids].map(async (uuid) => {
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

/** What is counted of a guest, of what is wanted; nothing where it ends meanwhile, as it fails no list. */
async function countersOf(
  { driver, options }: Call,
  { domain }: Found,
  wanted: number,
): Promise<DomainStatistics> {
  const asked = parts.filter(([flag]) => hasFlag(wanted, flag)).map(([, part]) => part)
  if (!driver.statistics || domain.id === undefined || asked.length === 0) return {}
  return driver.statistics.getStatistics(domain, { ...options, parts: asked }).catch((error) => {
    if (isVirError(error, 'OPERATION_ABORTED')) throw error
    return {}
  })
}

function general(found: Found, wanted: number, counted: DomainStatistics = {}): readonly TypedParameter[] {
  const { domain, vcpus, cpuTimeNs, memoryKib, maxMemoryKib } = found
  const { state, reason } = stateToNumbers(found.state)
  const isOn = domain.id !== undefined
  const parameters: TypedParameter[] = []
  if (hasFlag(wanted, groups.state))
    parameters.push(
      { field: 'state.state', type: 'int', value: state },
      { field: 'state.reason', type: 'int', value: reason },
    )
  if (hasFlag(wanted, groups.cpu) && isOn) parameters.push(counter('cpu.time', cpuTimeNs))
  if (hasFlag(wanted, groups.balloon)) {
    if (isOn) parameters.push(counter('balloon.current', BigInt(memoryKib)))
    parameters.push(counter('balloon.maximum', BigInt(maxMemoryKib)), ...memory(counted))
  }
  if (hasFlag(wanted, groups.vcpu)) {
    parameters.push(
      { field: 'vcpu.current', type: 'uint', value: vcpus },
      { field: 'vcpu.maximum', type: 'uint', value: vcpus },
    )
    for (const { number, state, timeNs } of counted.vcpus ?? [])
      parameters.push(
        { field: `vcpu.${number}.state`, type: 'int', value: vcpuStates.indexOf(state) },
        counter(`vcpu.${number}.time`, timeNs),
      )
  }
  return parameters
}

function memory({ memory }: DomainStatistics): readonly TypedParameter[] {
  return [
    ...known64('balloon.swap_in', memory?.swappedInKib),
    ...known64('balloon.swap_out', memory?.swappedOutKib),
    ...known64('balloon.major_fault', memory?.majorFaults),
    ...known64('balloon.minor_fault', memory?.minorFaults),
    ...known64('balloon.unused', memory?.unusedKib),
    ...known64('balloon.available', memory?.availableKib),
    ...known64('balloon.usable', memory?.usableKib),
    ...known64('balloon.last-update', memory?.updatedAt),
    ...known64('balloon.disk_caches', memory?.diskCachesKib),
    ...known64('balloon.rss', memory?.residentKib),
  ]
}

function devices({ interfaces, blocks }: DomainStatistics = {}): readonly TypedParameter[] {
  return [
    ...(interfaces ? [{ field: 'net.count', type: 'uint', value: interfaces.length } as const] : []),
    ...(interfaces ?? []).flatMap((each, index): readonly TypedParameter[] => [
      { field: `net.${index}.name`, type: 'string', value: each.target },
      counter(`net.${index}.rx.bytes`, each.receivedBytes),
      counter(`net.${index}.rx.pkts`, each.receivedPackets),
      counter(`net.${index}.rx.errs`, each.receivedErrors),
      counter(`net.${index}.rx.drop`, each.receivedDropped),
      counter(`net.${index}.tx.bytes`, each.sentBytes),
      counter(`net.${index}.tx.pkts`, each.sentPackets),
      counter(`net.${index}.tx.errs`, each.sentErrors),
      counter(`net.${index}.tx.drop`, each.sentDropped),
    ]),
    ...(blocks ? [{ field: 'block.count', type: 'uint', value: blocks.length } as const] : []),
    ...(blocks ?? []).flatMap((each, index): readonly TypedParameter[] => [
      { field: `block.${index}.name`, type: 'string', value: each.target },
      ...(each.path === undefined
        ? []
        : [{ field: `block.${index}.path`, type: 'string', value: each.path } as const]),
      counter(`block.${index}.rd.reqs`, each.readRequests),
      counter(`block.${index}.rd.bytes`, each.readBytes),
      counter(`block.${index}.rd.times`, each.readTimeNs),
      counter(`block.${index}.wr.reqs`, each.writeRequests),
      counter(`block.${index}.wr.bytes`, each.writeBytes),
      counter(`block.${index}.wr.times`, each.writeTimeNs),
      counter(`block.${index}.fl.reqs`, each.flushRequests),
      counter(`block.${index}.fl.times`, each.flushTimeNs),
      ...known64(`block.${index}.allocation`, each.allocationBytes),
      ...known64(`block.${index}.capacity`, each.capacityBytes),
      ...known64(`block.${index}.physical`, each.physicalBytes),
    ]),
  ]
}

function counter(field: string, value: bigint): TypedParameter {
  return { field, type: 'ullong', value }
}

function known64(field: string, value: bigint | undefined): readonly TypedParameter[] {
  return value === undefined ? [] : [counter(field, value)]
}
