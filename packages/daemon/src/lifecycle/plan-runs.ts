import { type CallOptions, isVirError, VirError } from '@covirt/core'

/** A plan that runs. */
interface PlanRun {
  /** In words that "is under way" can follow. */
  readonly what: string
  readonly controller: AbortController
  readonly over: Promise<unknown>
}

/** How a plan is run. */
export interface PlanRunOptions extends CallOptions {
  /** What runs is interrupted and waited for, instead of the plan being refused. */
  readonly interrupts?: boolean | undefined
}

/** Runs one plan at a time, as several at once would undo each other's work. */
export class PlanRuns {
  #run: PlanRun | undefined
  #closed: string | undefined

  /**
   * Calls `work` with a signal that fires when it is interrupted or cancelled. `RESOURCE_BUSY` where another plan runs,
   * `OPERATION_DENIED` after {@link close}.
   */
  async run<T>(
    what: string,
    work: (signal: AbortSignal) => Promise<T>,
    { interrupts, signal }: PlanRunOptions = {},
  ): Promise<T> {
    while (this.#run && interrupts && this.#closed === undefined) await this.#interrupt(`${what} goes first`)
    if (this.#closed !== undefined)
      throw new VirError('OPERATION_DENIED', `No plan is run any more: ${this.#closed}`)
    if (this.#run) {
      throw new VirError('RESOURCE_BUSY', `${this.#run.what} is under way`, {
        hint: 'Wait until it is through, or start and stop domains one by one',
      })
    }
    const controller = new AbortController()
    const both = signal ? AbortSignal.any([signal, controller.signal]) : controller.signal
    const result = work(both).catch((error: unknown) => {
      if (!controller.signal.aborted || !isVirError(error, 'OPERATION_ABORTED')) throw error
      throw new VirError('OPERATION_ABORTED', `${what} was interrupted: ${controller.signal.reason}`)
    })
    const run = { what, controller, over: result.catch(() => {}) }
    this.#run = run
    try {
      return await result
    } finally {
      if (this.#run === run) this.#run = undefined
    }
  }

  /** Resolves when no plan runs any more. */
  async idle(): Promise<void> {
    while (this.#run) await this.#settled(this.#run)
  }

  /** Interrupts what runs and waits for it; nothing is run from now on, for this reason. */
  async close(reason: string): Promise<void> {
    this.#closed = reason
    while (this.#run) await this.#interrupt(reason)
  }

  async #interrupt(why: string): Promise<void> {
    const run = this.#run
    run?.controller.abort(why)
    if (run) await this.#settled(run)
  }

  async #settled(run: PlanRun): Promise<void> {
    await run.over
    if (this.#run === run) this.#run = undefined
  }
}
