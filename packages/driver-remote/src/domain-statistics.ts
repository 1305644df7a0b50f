import {
  type CallOptions,
  type DomainFilter,
  type DomainInfo,
  type DomainRef,
  type DomainState,
  type DomainStats,
  domainStateNames,
  isVirError,
  matchesFilter,
  VirError,
} from '@covirt/core'
import {
  parameterValue,
  procedures,
  type ResultOf,
  stateFromNumbers,
  type TypedParameter,
} from '@covirt/protocol'
import type { PeerCalls } from './peer-calls.js'

/** Flags of CONNECT_LIST_ALL_DOMAINS (virConnectListAllDomainsFlags). */
const listFlags = {
  active: 1,
  inactive: 2,
  persistent: 4,
  transient: 8,
  autostart: 1024,
  noAutostart: 2048,
} as const

/** State, processor time, memory and processors of CONNECT_GET_ALL_DOMAIN_STATS (virDomainStatsTypes). */
const statsGroups = 1 | 2 | 4 | 8
/** Leave out what a domain would have to be waited for. */
const statsNoWait = 1 << 29

/** The domains that pass the filter, but for its states. */
export async function listDomains(
  calls: PeerCalls,
  { active, persistent, autostart }: Omit<DomainFilter, 'states'>,
  options: CallOptions,
): Promise<readonly DomainRef[]> {
  const flags =
    choice(active, listFlags.active, listFlags.inactive) |
    choice(persistent, listFlags.persistent, listFlags.transient) |
    choice(autostart, listFlags.autostart, listFlags.noAutostart)
  const { connectListAllDomains } = procedures
  return (await calls.call(connectListAllDomains, { needResults: true, flags }, options)).domains
}

/** What a covirt server has to say of all domains, in one call. */
export async function statisticsOfCovirt(
  calls: PeerCalls,
  filter: DomainFilter,
  options: CallOptions,
): Promise<readonly DomainStats[]> {
  const { active, persistent, autostart } = filter
  const states = filter.states?.map((state) => domainStateNames.indexOf(state))
  const args = { active, persistent, autostart, states }
  const { stats } = await calls.call(procedures.covirtGetAllDomainStats, args, options)
  return stats.map(({ state, reason, maxMemoryKib, memoryKib, ...rest }) => ({
    ...rest,
    state: stateFromNumbers({ state, reason }),
    maxMemoryKib: Number(maxMemoryKib),
    memoryKib: Number(memoryKib),
  }))
}

/**
 * The same of libvirt's daemons, put together from several calls: a domain that changes meanwhile may be seen half
 * before and half after.
 */
export async function statisticsOfLibvirt(
  calls: PeerCalls,
  typeOf: (domain: DomainRef, options: CallOptions) => Promise<string | undefined>,
  filter: DomainFilter,
  options: CallOptions,
): Promise<readonly DomainStats[]> {
  const uuids = async (wanted: DomainFilter) => {
    const found = await listDomains(calls, wanted, options)
    return new Set(found.map(({ uuid }) => uuid))
  }
  const [infos, persistent, autostart] = await Promise.all([
    allInfos(calls, options),
    uuids({ persistent: true }),
    uuids({ autostart: true }),
  ])
  const stats = await Promise.all(
    infos.map(async ({ domain, info }): Promise<DomainStats | undefined> => {
      const { uuid } = domain
      const type = await typeOf(domain, options)
      if (type === undefined) return undefined
      return { ...info, domain, type, persistent: persistent.has(uuid), autostart: autostart.has(uuid) }
    }),
  )
  return stats.filter((each) => each !== undefined).filter((each) => matchesFilter(each, filter))
}

/** State, memory, processors and processor time of one domain. */
export async function infoOf(calls: PeerCalls, domain: DomainRef, options: CallOptions): Promise<DomainInfo> {
  const [state, info] = await Promise.all([
    calls.call(procedures.domainGetState, { domain, flags: 0 }, options),
    calls.call(procedures.domainGetInfo, { domain }, options),
  ])
  return infoFrom(stateFromNumbers(state), info)
}

interface KnownInfo {
  readonly domain: DomainRef
  readonly info: DomainInfo
}

async function allInfos(calls: PeerCalls, options: CallOptions): Promise<readonly KnownInfo[]> {
  const { connectGetAllDomainStats } = procedures
  const args = { domains: [], stats: statsGroups, flags: statsNoWait }
  const records = await calls.call(connectGetAllDomainStats, args, options).then(
    (result) => result.records,
    async (error: unknown) => {
      if (!isVirError(error, 'NO_SUPPORT')) throw error
      const domains = await listDomains(calls, {}, options)
      return domains.map((domain) => ({ domain, parameters: [] }))
    },
  )
  const infos = await Promise.all(
    records.map(async ({ domain, parameters }) => {
      const info = infoFromParameters(parameters) ?? (await unlessGone(infoOf(calls, domain, options)))
      return { domain, info }
    }),
  )
  return infos.flatMap(({ domain, info }) => (info ? [{ domain, info }] : []))
}

/** `undefined` where something is missing: some of libvirt's drivers tell less than others. */
function infoFromParameters(parameters: readonly TypedParameter[]): DomainInfo | undefined {
  const needed = ['state.state', 'balloon.maximum', 'vcpu.current']
  if (!needed.every((field) => parameterValue(parameters, field) !== undefined)) return undefined
  const number = (field: string) => Number(parameterValue(parameters, field) ?? 0)
  const state = stateFromNumbers({ state: number('state.state'), reason: number('state.reason') })
  return infoFrom(state, {
    maxMemoryKib: BigInt(number('balloon.maximum')),
    memoryKib: BigInt(number('balloon.current')),
    vcpus: number('vcpu.current'),
    cpuTimeNs: BigInt(parameterValue(parameters, 'cpu.time') ?? 0),
  })
}

/** What is off uses nothing, though libvirt says what it would have. */
function infoFrom(
  state: DomainState,
  info: Omit<ResultOf<typeof procedures.domainGetInfo>, 'state'>,
): DomainInfo {
  const off = state.state === 'shutoff'
  return {
    state,
    maxMemoryKib: Number(info.maxMemoryKib),
    memoryKib: off ? 0 : Number(info.memoryKib),
    vcpus: info.vcpus,
    cpuTimeNs: off ? 0n : info.cpuTimeNs,
  }
}

/** What a domain that has vanished meanwhile has to say is nothing. */
export async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof VirError && error.code === 'NO_DOMAIN') return undefined
    throw error
  }
}

function choice(wanted: boolean | undefined, yes: number, no: number): number {
  if (wanted === undefined) return 0
  return wanted ? yes : no
}
