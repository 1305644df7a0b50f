import { type CallOptions, VirError } from '@covirt/core'
import { bootHistory } from '../journal/boot-history.js'
import type { JournalEntry } from '../journal/journal.js'
import { type JournalRequest, selectEntries } from '../journal/select-entries.js'
import type { LifecycleDefaults } from '../model/defaults.js'
import type { StartPlan } from '../plan/start-plan.js'
import type { StopPlan } from '../plan/stop-plan.js'
import { type MakePlanOptions, makeStartPlan, makeStopPlan, runAgain, runBoot } from '../run/run-boot.js'
import { runStart, type StartReport } from '../run/run-start.js'
import { runStop, type StopReport } from '../run/run-stop.js'
import type { RunnerParts } from '../run/runner-parts.js'
import type {
  DownRequest,
  HostLifecycle,
  RunOptions,
  StartRequest,
  StopRequest,
  UpRequest,
} from './host-lifecycle.js'

/** What a {@link LocalLifecycle} works with. */
export interface LifecycleParts extends Omit<RunnerParts, 'actor' | 'signal' | 'onProgress'> {
  /** The URI of all guests that the journal is about, where `driver` has only some of them. */
  readonly partOf?: string | undefined
}

/** Makes and runs plans in this process, over any driver. */
export class LocalLifecycle implements HostLifecycle {
  readonly #parts: LifecycleParts
  readonly #defaults: Partial<LifecycleDefaults>

  constructor(parts: LifecycleParts, defaults: Partial<LifecycleDefaults> = {}) {
    this.#parts = parts
    this.#defaults = defaults
  }

  planStart({ only, limit }: StartRequest = {}, { signal }: CallOptions = {}): Promise<StartPlan> {
    return makeStartPlan(this.#parts, this.#options({ only, limit, signal }))
  }

  planStop({ only, deadlineMs }: StopRequest = {}, { signal }: CallOptions = {}): Promise<StopPlan> {
    return makeStopPlan(this.#parts, this.#options({ only, deadlineMs, signal }))
  }

  async up(
    request: UpRequest = {},
    { signal, onProgress }: RunOptions = {},
  ): Promise<StartReport | undefined> {
    this.check(request)
    const { only, limit, boot, takenDown } = request
    const options = this.#options({ only, limit, signal })
    const parts: RunnerParts = { ...this.#parts, signal, onProgress, actor: 'user' }
    if (!boot && !takenDown) return runStart(await makeStartPlan(parts, options), parts)
    const again = await runAgain(parts, options)
    return again ?? (boot ? runBoot(parts, options) : undefined)
  }

  /** `INVALID_ARG` where only some of the guests would come up, and all would count as having done so. */
  check({ only, boot, takenDown }: UpRequest = {}): void {
    if (!boot && !takenDown) return
    const what = boot ? 'once for each boot' : 'after all were taken down'
    if (only)
      throw new VirError('INVALID_ARG', `All guests come up ${what}, and not some of them`, {
        hint: 'Name domains to start them now, whatever was before',
      })
    const { partOf, driver } = this.#parts
    if (partOf !== undefined)
      throw new VirError(
        'INVALID_ARG',
        `All guests come up ${what}, and not those of '${driver.uri}' alone`,
        {
          hint: `Connect to '${partOf}'`,
        },
      )
  }

  /** As `up` for a boot, but what was taken down in it stays down: as whatever sees to boots comes back. */
  async boot({ signal, onProgress }: RunOptions = {}): Promise<StartReport | undefined> {
    return runBoot({ ...this.#parts, signal, onProgress, actor: 'boot' }, this.#options({ signal }))
  }

  /** Whether there is anything to be brought up with `takenDown`. */
  async wereTakenDown(): Promise<boolean> {
    const { journal, boot } = this.#parts
    return bootHistory(await journal.read(), boot).takenDown !== undefined
  }

  async down(
    { only, deadlineMs, host }: DownRequest = {},
    { signal, onProgress }: RunOptions = {},
  ): Promise<StopReport> {
    const plan = await this.planStop({ only, deadlineMs }, { signal })
    const actor = host ? 'power-off' : 'user'
    return runStop(plan, { ...this.#parts, signal, onProgress, actor, host })
  }

  async journal(request: JournalRequest = {}): Promise<readonly JournalEntry[]> {
    return selectEntries(await this.#parts.journal.read(), request)
  }

  #options({ only, signal, limit, deadlineMs }: CallOptions & StartRequest & StopRequest): MakePlanOptions {
    return {
      signal,
      only: only && new Set(only),
      defaults: {
        ...this.#defaults,
        ...(limit !== undefined && { limit }),
        ...(deadlineMs !== undefined && { deadlineMs }),
      },
    }
  }
}
