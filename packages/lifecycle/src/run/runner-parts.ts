import type { CallOptions, Clock, Driver, Logger } from '@covirt/core'
import type { LifecycleHooks } from '../hooks/lifecycle-hooks.js'
import type { Journal, JournalActor } from '../journal/journal.js'
import type { ProbeIo } from '../probe/probe-io.js'
import type { HostConditions } from './host-conditions.js'
import type { Progress } from './progress.js'

/** What a runner works with. */
export interface RunnerParts extends CallOptions {
  readonly driver: Driver
  readonly clock: Clock
  readonly logger: Logger
  readonly journal: Journal
  /** On whose behalf it runs. */
  readonly actor: JournalActor
  /** Which boot of the host this is. */
  readonly boot: string
  /** How probes reach guests. */
  readonly probeIo: ProbeIo
  /** How it is found out what of the host is there. */
  readonly conditions: HostConditions
  readonly hooks?: LifecycleHooks | undefined
  /** Told how far each domain is. It must not throw. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}
