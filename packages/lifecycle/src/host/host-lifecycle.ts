import type { CallOptions } from '@covirt/core'
import type { JournalEntry } from '../journal/journal.js'
import type { JournalRequest } from '../journal/select-entries.js'
import type { StartPlan } from '../plan/start-plan.js'
import type { StopPlan } from '../plan/stop-plan.js'
import type { Progress } from '../run/progress.js'
import type { StartReport } from '../run/run-start.js'
import type { StopReport } from '../run/run-stop.js'

/** Which domains are to come up. */
export interface StartRequest {
  /** The uuids of the only domains that are meant, with what they need. Default: those that are marked. */
  readonly only?: readonly string[] | undefined
  /** How many boot at the same time. Default: as configured. */
  readonly limit?: number | undefined
}

/** How domains are brought up. */
export interface UpRequest extends StartRequest {
  /** As the host boots: once for each boot, going on where it was interrupted. Meant are all guests of the host. */
  readonly boot?: boolean | undefined
  /** All those that a plan with `host` has taken down since the host booted, if one has, and no others. */
  readonly takenDown?: boolean | undefined
}

/** Which domains are to go down. */
export interface StopRequest {
  /** The uuids of the only domains that are meant. Default: all that are up. */
  readonly only?: readonly string[] | undefined
  /**
   * How long all of it may take. Default: as configured. Without effect where all guests of a daemon are already going
   * down with their host: that plan's own deadline holds.
   */
  readonly deadlineMs?: number | undefined
}

/** How domains are brought down. */
export interface DownRequest extends StopRequest {
  /** As the host goes down: nobody's veto counts, and what is started meanwhile goes down too. */
  readonly host?: boolean | undefined
}

/** How a plan is run. */
export interface RunOptions extends CallOptions {
  /** Told how far each domain is. It must not throw. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/**
 * What brings all guests of a host up and down, wherever its runners are: in this process, or in the daemon that owns
 * the guests. `INVALID_ARG` where a request makes no sense.
 */
export interface HostLifecycle {
  planStart(request?: StartRequest, options?: CallOptions): Promise<StartPlan>
  planStop(request?: StopRequest, options?: CallOptions): Promise<StopPlan>
  /**
   * Makes a start plan and runs it; `undefined` where it was to be for a boot that has had its plan, or for what was
   * taken down, and nothing was.
   */
  up(request?: UpRequest, options?: RunOptions): Promise<StartReport | undefined>
  /** Makes a stop plan and runs it. */
  down(request?: DownRequest, options?: RunOptions): Promise<StopReport>
  /** What the journal knows, oldest first. */
  journal(request?: JournalRequest, options?: CallOptions): Promise<readonly JournalEntry[]>
}
