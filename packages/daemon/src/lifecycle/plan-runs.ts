import { abortable, type CallOptions, isVirError, VirError } from '@covirt/core'

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
  /** What runs is waited for, instead of the plan being refused. Where that is interrupted, so is this. */
  readonly waits?: boolean | undefined
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
    { interrupts, waits, signal }: PlanRunOptions = {},
  ): Promise<T> {
    while (this.#run && interrupts && this.#closed === undefined) await this.#interrupt(`${what} goes first`)
    while (this.#run && waits && this.#closed === undefined) await this.#outwait(this.#run, what, signal)
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
      throw interrupted(what, controller.signal)
    })
    const run = { what, controller, over: result.catch(() => {}) }
    this.#run = run
    try {
      return await result
    } finally {
      if (this.#run === run) this.#run = undefined
    }
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

  async #outwait(run: PlanRun, what: string, signal: AbortSignal | undefined): Promise<void> {
    await abortable(this.#settled(run), signal)
    // What goes before a plan that runs goes before those that wait for it too.
    if (run.controller.signal.aborted) throw interrupted(what, run.controller.signal)
  }

  async #settled(run: PlanRun): Promise<void> {
    await run.over
    if (this.#run === run) this.#run = undefined
  }
}

function interrupted(what: string, { reason }: AbortSignal): VirError {
  return new VirError('OPERATION_ABORTED', `${what} was interrupted: ${reason}`)
}
