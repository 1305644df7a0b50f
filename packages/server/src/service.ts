import type { CallOptions } from '@covirt/core'
import type { AccessRole } from './access/access-policy.js'
import type { Identity } from './access/identity.js'

/** One thing that a service does. */
export interface ServiceMethod {
  /** What a client needs to be allowed. A grant for some domains allows no service at all. */
  readonly role: AccessRole
  /**
   * Arguments come from the client as they are: nothing about them has been checked. They and the result are plain
   * values, with integers of any size and bytes besides.
   */
  readonly call: (
    args: readonly unknown[],
    options: CallOptions & { readonly identity: Identity },
  ) => Promise<unknown>
}

/** What a server offers to covirt's own clients besides its driver, by the names of its methods. */
export type Service = Readonly<Record<string, ServiceMethod>>
