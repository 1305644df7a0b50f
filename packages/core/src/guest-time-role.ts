import type { CallOptions } from './abort.js'
import type { DomainRef } from './domain.js'

/** Role: the clock of the guest's system, through its agent. */
export interface GuestTimeRole {
  /**
   * What time it is for the guest, in nanoseconds since 1970. `AGENT_UNRESPONSIVE` where no agent answers,
   * `OPERATION_INVALID` where the domain is not running.
   */
  getTime(domain: DomainRef, options?: CallOptions): Promise<bigint>
  /**
   * Sets the guest's clock: to `timeNs`, or without it to that of its hardware, which a guest needs that has been paused
   * or saved. Refused as {@link getTime}.
   */
  setTime(domain: DomainRef, timeNs: bigint | undefined, options?: CallOptions): Promise<void>
}
