import type { DomainState } from './domain-state.js'

/** Which domain is meant: identity, never state. `id` is there while the domain is active. */
export interface DomainRef {
  /** RFC 4122 form, lower case. The one thing that never changes; drivers look domains up by it. */
  readonly uuid: string
  readonly name: string
  /** Positive; unique among the active domains of a connection; a new one at each start. */
  readonly id?: number
}

/** By what a domain is looked up. Exactly one of the keys. */
export type DomainKey = { readonly name: string } | { readonly uuid: string } | { readonly id: number }

/** What the guest uses and may use (virDomainInfo). */
export interface DomainInfo {
  readonly state: DomainState
  /** The limit: what the definition's `<memory>` grants, in KiB. */
  readonly maxMemoryKib: number
  /** What it has now, in KiB: for a VM its balloon, for a container what it uses. 0 while it is off. */
  readonly memoryKib: number
  readonly vcpus: number
  /** Processor time used since start, in nanoseconds. 0 while it is off. */
  readonly cpuTimeNs: bigint
}

/** Everything a list of domains shows of one of them, taken at one moment. */
export interface DomainStats extends DomainInfo {
  readonly domain: DomainRef
  /** The domain's type as its XML says it: `lxc`, `qemu`, `kvm`, `test`. */
  readonly type: string
  /** It has a definition on disk, and so outlives its guest. */
  readonly persistent: boolean
  /** It is to be started when the host boots. */
  readonly autostart: boolean
}

/** Which domains a list holds. An absent key does not filter; all given keys must hold. */
export interface DomainFilter {
  readonly active?: boolean | undefined
  readonly persistent?: boolean | undefined
  readonly autostart?: boolean | undefined
  readonly states?: readonly DomainState['state'][] | undefined
}

/** Whether `stats` passes `filter`. */
export function matchesFilter(
  stats: Pick<DomainStats, 'domain' | 'state' | 'persistent' | 'autostart'>,
  filter: DomainFilter,
): boolean {
  return (
    (filter.active === undefined || filter.active === (stats.domain.id !== undefined)) &&
    (filter.persistent === undefined || filter.persistent === stats.persistent) &&
    (filter.autostart === undefined || filter.autostart === stats.autostart) &&
    (filter.states === undefined || filter.states.includes(stats.state.state))
  )
}
