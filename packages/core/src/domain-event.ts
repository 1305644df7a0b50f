import type { DomainRef } from './domain.js'

/**
 * libvirt's life-cycle events (virDomainEventType) with their details. The position in the list of names,
 * and in each array of details, is libvirt's number.
 */
export const lifecycleDetails = {
  defined: ['added', 'updated', 'renamed', 'from-snapshot'],
  undefined: ['removed', 'renamed'],
  started: ['booted', 'migrated', 'restored', 'from-snapshot', 'wakeup'],
  suspended: [
    'paused',
    'migrated',
    'io-error',
    'watchdog',
    'restored',
    'from-snapshot',
    'api-error',
    'post-copy',
    'post-copy-failed',
  ],
  resumed: ['unpaused', 'migrated', 'from-snapshot', 'post-copy', 'post-copy-failed'],
  stopped: ['shutdown', 'destroyed', 'crashed', 'migrated', 'saved', 'failed', 'from-snapshot'],
  shutdown: ['finished', 'guest', 'host'],
  pmsuspended: ['memory', 'disk'],
  crashed: ['panicked', 'crash-loaded'],
} as const

/** The name of a life-cycle event. */
export type LifecycleEventName = keyof typeof lifecycleDetails

/** The domain entered another phase of its life. `domain.id` is that of the guest concerned. */
export type LifecycleEvent = {
  [E in LifecycleEventName]: {
    readonly type: 'lifecycle'
    readonly domain: DomainRef
    readonly event: E
    readonly detail: (typeof lifecycleDetails)[E][number]
  }
}[LifecycleEventName]

/** The guest restarted without its domain being stopped. */
export interface RebootEvent {
  readonly type: 'reboot'
  readonly domain: DomainRef
}

/** The agent inside the guest came or went. */
export interface AgentEvent {
  readonly type: 'agent'
  readonly domain: DomainRef
  readonly state: 'connected' | 'disconnected'
}

/** What a driver tells of its domains. */
export type DomainEvent = LifecycleEvent | RebootEvent | AgentEvent

/**
 * Some events of any domain and of any type could not be delivered: list the domains again. It stands where they
 * would have stood: what came before it was complete, and what follows is again.
 */
export interface ResyncEvent {
  readonly type: 'resync'
  /**
   * `slow-reader`: more events waited for the reader of a stream than it allows. `reconnected`: the driver had lost
   * the peer that runs the domains, and has found it again.
   */
  readonly reason: 'slow-reader' | 'reconnected'
  /** How many events were dropped; `undefined` where that is not known. */
  readonly dropped: number | undefined
}

/** All that a subscriber may be told. */
export type DriverEvent = DomainEvent | ResyncEvent
