import type { Clock, Driver, Logger } from '@covirt/core'
import type { Server } from '@covirt/server'
import type { DaemonConfig } from './config/config-schema.js'
import type { Instance } from './drivers/driver-house.js'
import type { ServiceManager } from './service-manager.js'

/** What a hook works with. */
export interface DaemonContext {
  readonly config: DaemonConfig
  readonly instance: Instance
  /** Opens all drivers of the daemon as one; whoever calls closes it. */
  readonly open: (signal: AbortSignal) => Promise<Driver>
  readonly server: Server
  readonly serviceManager: ServiceManager
  readonly logger: Logger
  readonly clock: Clock
}

/** What is done when a daemon has come up, and before it goes down. What it throws is logged. */
export interface DaemonHook {
  /** Clients can connect already. It runs beside all else; `signal` fires when the daemon goes down. */
  started?(context: DaemonContext, signal: AbortSignal): Promise<void>
  /** Clients are still connected. The daemon waits for it before it lets go of anything. */
  stopping?(context: DaemonContext): Promise<void>
}
