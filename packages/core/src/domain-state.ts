/**
 * libvirt's domain states (virDomainState) with the reasons of each (virDomain…Reason). The position in an
 * array is libvirt's number.
 */
export const domainStateReasons = {
  nostate: ['unknown'],
  running: [
    'unknown',
    'booted',
    'migrated',
    'restored',
    'from-snapshot',
    'unpaused',
    'migration-canceled',
    'save-canceled',
    'wakeup',
    'crashed',
    'post-copy',
    'post-copy-failed',
  ],
  blocked: ['unknown'],
  paused: [
    'unknown',
    'user',
    'migration',
    'save',
    'dump',
    'io-error',
    'watchdog',
    'from-snapshot',
    'shutting-down',
    'snapshot',
    'crashed',
    'starting-up',
    'post-copy',
    'post-copy-failed',
    'api-error',
  ],
  shutdown: ['unknown', 'user'],
  shutoff: [
    'unknown',
    'shutdown',
    'destroyed',
    'crashed',
    'migrated',
    'saved',
    'failed',
    'from-snapshot',
    'daemon',
  ],
  crashed: ['unknown', 'panicked'],
  pmsuspended: ['unknown'],
} as const

/** The states in libvirt's order: the position is the number (virDomainState). */
export const domainStateNames = [
  'nostate',
  'running',
  'blocked',
  'paused',
  'shutdown',
  'shutoff',
  'crashed',
  'pmsuspended',
] as const satisfies readonly (keyof typeof domainStateReasons)[]

/** The name of a state, as `virsh domstate` and libvirt's API know it. */
export type DomainStateName = keyof typeof domainStateReasons

/** The reasons that state `S` can have. */
export type StateReason<S extends DomainStateName> = (typeof domainStateReasons)[S][number]

/** A state with the reason why the domain is in it. `shutdown` means: on its way down. */
export type DomainState = {
  [S in DomainStateName]: { readonly state: S; readonly reason: StateReason<S> }
}[DomainStateName]

/** Whether a domain in `state` has a guest: it holds memory and an id, though it may be paused or crashed. */
export function isActive(state: DomainState): boolean {
  return state.state !== 'shutoff' && state.state !== 'nostate'
}
