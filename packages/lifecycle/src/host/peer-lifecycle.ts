import type { CallOptions } from '@covirt/core'
import type { JournalEntry } from '../journal/journal.js'
import type { JournalRequest } from '../journal/select-entries.js'
import type { StartPlan } from '../plan/start-plan.js'
import type { StopPlan } from '../plan/stop-plan.js'
import type { Progress } from '../run/progress.js'
import type { StartReport } from '../run/run-start.js'
import type { StopReport } from '../run/run-stop.js'
import type {
  DownRequest,
  HostLifecycle,
  RunOptions,
  StartRequest,
  StopRequest,
  UpRequest,
} from './host-lifecycle.js'

/** How a method of another process is called, with plain values. */
export interface LifecyclePeer {
  call(
    method: string,
    args: readonly unknown[],
    options: CallOptions & { readonly onProgress?: ((value: unknown) => void) | undefined },
  ): Promise<unknown>
}

/** The plans of another process, which has a `lifecycleService`. */
export class PeerLifecycle implements HostLifecycle {
  readonly #peer: LifecyclePeer

  constructor(peer: LifecyclePeer) {
    this.#peer = peer
  }

  async planStart(request: StartRequest = {}, options: CallOptions = {}): Promise<StartPlan> {
    return (await this.#peer.call('planStart', [request], options)) as StartPlan
  }

  async planStop(request: StopRequest = {}, options: CallOptions = {}): Promise<StopPlan> {
    return (await this.#peer.call('planStop', [request], options)) as StopPlan
  }

  async up(request: UpRequest = {}, options: RunOptions = {}): Promise<StartReport | undefined> {
    return (await this.#peer.call('up', [request], forwarded(options))) as StartReport | undefined
  }

  async down(request: DownRequest = {}, options: RunOptions = {}): Promise<StopReport> {
    return (await this.#peer.call('down', [request], forwarded(options))) as StopReport
  }

  async journal(request: JournalRequest = {}, options: CallOptions = {}): Promise<readonly JournalEntry[]> {
    return (await this.#peer.call('journal', [request], options)) as readonly JournalEntry[]
  }
}

function forwarded({ signal, onProgress }: RunOptions) {
  return { signal, onProgress: onProgress && ((value: unknown) => onProgress(value as Progress)) }
}
