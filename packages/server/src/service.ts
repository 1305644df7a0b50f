import type { CallOptions, Driver } from '@covirt/core'
import type { AccessRole } from './access/access-policy.js'
import type { Identity } from './access/identity.js'

/** On whose behalf a service does something. */
export interface ServiceCallOptions extends CallOptions {
  readonly identity: Identity
  /** What the client's connection was opened on. It stays open until the call is over. */
  readonly driver: Driver
  /** Tells the client how far it is: a plain value, as the result is. Nothing happens where the client has gone. */
  readonly onProgress: (value: unknown) => void
}

/** One thing that a service does. */
export interface ServiceMethod {
  /** What a client needs to be allowed. A grant for some domains allows no service at all. */
  readonly role: AccessRole
  /** Whether clients may have it done also while the server is drained. */
  readonly whileDrained?: boolean | undefined
  /**
   * Arguments come from the client as they are: nothing about them has been checked. They and the result are plain
   * values, with integers of any size and bytes besides.
   */
  readonly call: (args: readonly unknown[], options: ServiceCallOptions) => Promise<unknown>
}

/** What a server offers to covirt's own clients besides its driver, by the names of its methods. */
export type Service = Readonly<Record<string, ServiceMethod>>
