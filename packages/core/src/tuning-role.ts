import type { ChangeOptions } from './change-options.js'
import type { DomainRef } from './domain.js'

/** No limit: libvirt's `VIR_DOMAIN_MEMORY_PARAM_UNLIMITED`. */
export const unlimitedMemoryKib = 9_007_199_254_740_991n

/** How processors are shared out: `<cputune>`. Times in microseconds; a negative quota is no limit. */
export interface SchedulerParameters {
  /** `cpu_shares`: the domain's weight among others. */
  readonly shares?: bigint | undefined
  /** `vcpu_period`, `vcpu_quota`: of each virtual processor, or of a whole container. */
  readonly periodUs?: bigint | undefined
  readonly quotaUs?: bigint | undefined
  /** `emulator_period`, `emulator_quota`: of what is no virtual processor. */
  readonly emulatorPeriodUs?: bigint | undefined
  readonly emulatorQuotaUs?: bigint | undefined
  /** `global_period`, `global_quota`: of all of it. */
  readonly globalPeriodUs?: bigint | undefined
  readonly globalQuotaUs?: bigint | undefined
  /** `iothread_period`, `iothread_quota`: of each I/O thread. */
  readonly iothreadPeriodUs?: bigint | undefined
  readonly iothreadQuotaUs?: bigint | undefined
}

/** How much of the host's memory a domain may take: `<memtune>`. From {@link unlimitedMemoryKib} on it is no limit. */
export interface MemoryParameters {
  /** `hard_limit` */
  readonly hardLimitKib?: bigint | undefined
  /** `soft_limit`: when the host runs short. */
  readonly softLimitKib?: bigint | undefined
  /** `swap_hard_limit`: memory and swap together. */
  readonly swapHardLimitKib?: bigint | undefined
}

/** What a domain may do with one disk of the host; 0 is no limit, as a weight the common one. */
export interface BlkioDevice {
  /** Of the device on the host: `/dev/sda`. */
  readonly path: string
  /** `device_weight` */
  readonly weight?: number | undefined
  /** `device_read_iops_sec`, `device_write_iops_sec` */
  readonly readIopsSec?: number | undefined
  readonly writeIopsSec?: number | undefined
  /** `device_read_bytes_sec`, `device_write_bytes_sec` */
  readonly readBytesSec?: bigint | undefined
  readonly writeBytesSec?: bigint | undefined
}

/** How disks of the host are shared out: `<blkiotune>`. */
export interface BlkioParameters {
  /** `weight`: 10 to 1000; 0 is the common one. */
  readonly weight?: number | undefined
  readonly devices?: readonly BlkioDevice[] | undefined
}

/** Which number of processors is meant. */
export interface VcpuOptions {
  /** That which there can be at the most, instead of those that there are. */
  readonly maximum?: boolean | undefined
}

/**
 * Role: what a guest may use is changed, of a guest that runs, in the definition, or in both.
 *
 * **Live**: it holds when the call resolves, as long as the guest does, over restarts of the guest as well; its live
 * document says so. **Config**: the definition says so, durably, and it holds from the next start.
 *
 * `INVALID_ARG` for numbers that cannot be, `CONFIG_UNSUPPORTED` for what domains of this driver cannot have,
 * `OPERATION_UNSUPPORTED`, with what to do instead, for what cannot be changed while a guest runs.
 */
export interface TuningRole {
  /**
   * How much memory a guest has, in KiB, of what it can have at the most: `INVALID_ARG` above that. A machine's guest is
   * asked to give back what is too much, and takes its time.
   */
  setMemory(domain: DomainRef, memoryKib: number, options?: ChangeOptions): Promise<void>
  /** How much memory it can have, in KiB. A guest that is left more has all of that then. */
  setMaxMemory(domain: DomainRef, memoryKib: number, options?: ChangeOptions): Promise<void>
  /** How many processors a guest has: `INVALID_ARG` above what it can have. */
  setVcpus(domain: DomainRef, count: number, options?: ChangeOptions & VcpuOptions): Promise<void>
  getVcpus(domain: DomainRef, options?: ChangeOptions & VcpuOptions): Promise<number>

  /** All that this driver knows, also what is nowhere said, as it holds then. */
  getSchedulerParameters(domain: DomainRef, options?: ChangeOptions): Promise<SchedulerParameters>
  /** Changes what is given; the rest stays. */
  setSchedulerParameters(
    domain: DomainRef,
    parameters: SchedulerParameters,
    options?: ChangeOptions,
  ): Promise<void>
  /** As {@link getSchedulerParameters}. */
  getMemoryParameters(domain: DomainRef, options?: ChangeOptions): Promise<MemoryParameters>
  /** Changes what is given; the rest stays. */
  setMemoryParameters(domain: DomainRef, parameters: MemoryParameters, options?: ChangeOptions): Promise<void>
  /** As {@link getSchedulerParameters}; of devices those that something is said about. */
  getBlkioParameters(domain: DomainRef, options?: ChangeOptions): Promise<BlkioParameters>
  /** Changes what is given, of those devices that are given; the rest stays. */
  setBlkioParameters(domain: DomainRef, parameters: BlkioParameters, options?: ChangeOptions): Promise<void>
}
