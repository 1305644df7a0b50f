import type { CallOptions } from './abort.js'
import type { DomainRef } from './domain.js'

/** A process of a guest, at one moment. */
export interface GuestProcess {
  /** On the host, where the host sees it. */
  readonly pid?: number | undefined
  /** In the guest. */
  readonly innerPid: number
  /** The file name of what it executes, or what it calls itself; at most 15 bytes (proc_pid_comm(5)). */
  readonly name: string
  /** Its words as far as 64 KiB; empty where it has none, as one that has ended and is not waited for. */
  readonly argv: readonly string[]
  /** What of it is in memory, in KiB; what several share is counted for each. */
  readonly memoryKib: number
  /** Since it was started, in nanoseconds. */
  readonly cpuTimeNs: bigint
}

/** Role: the processes of guests. */
export interface ProcessesRole {
  /**
   * All processes of an active domain, seen from outside and without its cooperation, by their inner number. One
   * that ends meanwhile is left out. `OPERATION_INVALID` where the domain is not active.
   */
  listProcesses(domain: DomainRef, options?: CallOptions): Promise<readonly GuestProcess[]>
}
