import type { CallOptions } from './abort.js'
import type { DomainRef } from './domain.js'

/** What is counted of a guest. */
export const statisticsParts = ['blocks', 'interfaces', 'vcpus', 'memory'] as const

/** One of {@link statisticsParts}. */
export type StatisticsPart = (typeof statisticsParts)[number]

/** What is asked for. */
export interface StatisticsOptions extends CallOptions {
  /** Default: all. */
  readonly parts?: readonly StatisticsPart[] | undefined
}

/** One disk; libvirt's `virsh domblkstat`, `domblkinfo` and `block.N.…` of `domstats`. Counted since the guest's start. */
export interface BlockStatistics {
  /** The name of its `<target>`: `vda`. */
  readonly target: string
  /** Its `<source>`, where it is a file or a device. */
  readonly path?: string | undefined
  /** `rd_req`, `wr_req`, `flush_operations` */
  readonly readRequests: bigint
  readonly writeRequests: bigint
  readonly flushRequests: bigint
  /** `rd_bytes`, `wr_bytes` */
  readonly readBytes: bigint
  readonly writeBytes: bigint
  /** `rd_total_times`, `wr_total_times`, `flush_total_times` */
  readonly readTimeNs: bigint
  readonly writeTimeNs: bigint
  readonly flushTimeNs: bigint
  /** `Capacity`: what the guest sees. */
  readonly capacityBytes?: bigint | undefined
  /** `Allocation`: what it takes on the host. */
  readonly allocationBytes?: bigint | undefined
  /** `Physical`: how far its file reaches. */
  readonly physicalBytes?: bigint | undefined
}

/** One network interface, from the guest's side; `virsh domifstat` and `net.N.…` of `domstats`. */
export interface InterfaceStatistics {
  /** Its name on the host: the `<target dev=…>` of live XML. */
  readonly target: string
  readonly receivedBytes: bigint
  readonly receivedPackets: bigint
  readonly receivedErrors: bigint
  readonly receivedDropped: bigint
  readonly sentBytes: bigint
  readonly sentPackets: bigint
  readonly sentErrors: bigint
  readonly sentDropped: bigint
}

/** One processor; `virsh vcpuinfo` and `vcpu.N.…` of `domstats`. */
export interface VcpuStatistics {
  readonly number: number
  readonly state: 'offline' | 'running' | 'blocked'
  /** Since the guest's start. */
  readonly timeNs: bigint
  /** On which processor of the host it ran last. */
  readonly hostCpu?: number | undefined
}

/** The guest's memory; `virsh dommemstat` and `balloon.…` of `domstats`. What is not known is left out. */
export interface MemoryStatistics {
  /** `actual`: what it has been left. */
  readonly actualKib: bigint
  /** `rss`: what it takes on the host. */
  readonly residentKib?: bigint | undefined
  /** `swap_in`, `swap_out` */
  readonly swappedInKib?: bigint | undefined
  readonly swappedOutKib?: bigint | undefined
  /** `major_fault`, `minor_fault` */
  readonly majorFaults?: bigint | undefined
  readonly minorFaults?: bigint | undefined
  /** `unused`: free for the guest. */
  readonly unusedKib?: bigint | undefined
  /** `available`: all that the guest sees. */
  readonly availableKib?: bigint | undefined
  /** `usable`: what could be had without swapping. */
  readonly usableKib?: bigint | undefined
  /** `disk_caches` */
  readonly diskCachesKib?: bigint | undefined
  /** `last_update`, in seconds since 1970 */
  readonly updatedAt?: bigint | undefined
}

/** What a guest has used; only the parts that were asked for. */
export interface DomainStatistics {
  /** In the order of the definition. */
  readonly blocks?: readonly BlockStatistics[] | undefined
  /** In the order of the definition; those that are nothing on the host are left out. */
  readonly interfaces?: readonly InterfaceStatistics[] | undefined
  /** Left out where guests have no processors of their own. */
  readonly vcpus?: readonly VcpuStatistics[] | undefined
  readonly memory?: MemoryStatistics | undefined
}

/** Role: what a guest uses, counted by device. */
export interface StatisticsRole {
  /** Of an active domain; a device that goes meanwhile is left out. `OPERATION_INVALID` where it is not active. */
  getStatistics(domain: DomainRef, options?: StatisticsOptions): Promise<DomainStatistics>
}
