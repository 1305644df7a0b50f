import type { DomainRef } from '@covirt/core'
import type { LifecyclePolicy } from '../model/policy.js'

/** One domain as a plan is made from it. */
export interface PlanDomain {
  readonly ref: Pick<DomainRef, 'uuid' | 'name'>
  readonly active: boolean
  readonly autostart: boolean
  /** Only a persistent domain can be started. */
  readonly persistent: boolean
  readonly policy: LifecyclePolicy
  /** It was up when the host went down last. */
  readonly wasActive?: boolean | undefined
  /** It was up when all guests were taken down, in this boot of the host. */
  readonly takenDown?: boolean | undefined
  /** Why it is not to be started though it is marked to be, for example because this boot's plan did so before. */
  readonly held?: string | undefined
  /** What is wrong in its metadata, so that the defaults hold for it. */
  readonly problem?: string | undefined
}

/** Something that whoever made the definitions should know. */
export interface PlanProblem {
  readonly kind:
    | 'cycle'
    | 'gave-up'
    | 'unknown-domain'
    | 'not-autostarted'
    | 'left-out'
    | 'order-changed'
    | 'bad-metadata'
    | 'deadline'
  /** The names of the domains concerned; of a cycle the path, which ends where it begins. */
  readonly domains: readonly string[]
  readonly message: string
}
