import type { DomainRef } from '@covirt/core'
import type { Procedure, ProcedureName } from '@covirt/protocol'
import type { Identity } from './identity.js'

/**
 * What a client may do, each including the one before it.
 * - `read`: ask. Secrets are left out of documents.
 * - `operate`: bring guests up and down, and use their consoles and screens.
 * - `admin`: everything.
 */
export const accessRoles = ['read', 'operate', 'admin'] as const

/** One of {@link accessRoles}. */
export type AccessRole = (typeof accessRoles)[number]

/** What a policy grants to a client. */
export interface Grant {
  readonly role: AccessRole
  /** Which domains there are for it; to all calls the others do not exist. Default: all. */
  readonly mayAccess?: ((domain: Pick<DomainRef, 'name' | 'uuid'>) => boolean) | undefined
  /** What `mayAccess` goes by, as a text: grants with the same are for the same domains. */
  readonly scope?: string | undefined
}

/**
 * Decides what a client may do: when it opens its connection, and whenever `Server.reviewGrants` is called.
 * `undefined`: nothing at all.
 */
export type AccessPolicy = (identity: Identity) => Grant | undefined | Promise<Grant | undefined>

/** What a `write` procedure needs at least, where that is less than `admin`. */
const operations: ReadonlySet<ProcedureName> = new Set([
  'domainCreate',
  'domainCreateWithFlags',
  'domainShutdown',
  'domainShutdownFlags',
  'domainReboot',
  'domainReset',
  'domainDestroy',
  'domainDestroyFlags',
  'domainSuspend',
  'domainResume',
  'domainPmSuspendForDuration',
  'domainPmWakeup',
  'domainManagedSave',
  'domainAbortJob',
  'domainAbortJobFlags',
  'domainOpenConsole',
  'domainOpenChannel',
  'domainOpenGraphics',
  'domainOpenGraphicsFd',
  'domainScreenshot',
  'covirtOpenGraphics',
  'covirtOpenConsole',
  'domainSendKey',
  'domainInjectNmi',
  'domainGetHostname',
  'domainGetTime',
  'domainSetTime',
  'domainGetFsinfo',
  'domainGetGuestVcpus',
])

/** The least role that may call a procedure. */
export function roleNeeded(name: ProcedureName, { access }: Pick<Procedure, 'access'>): AccessRole {
  if (access === 'read') return 'read'
  return operations.has(name) ? 'operate' : 'admin'
}

/** Whether `role` includes `needed`. */
export function includesRole(role: AccessRole, needed: AccessRole): boolean {
  return accessRoles.indexOf(role) >= accessRoles.indexOf(needed)
}
