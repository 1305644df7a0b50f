import { setMaxListeners } from 'node:events'
import { type DomainRef, messageOf, throwIfAborted } from '@covirt/core'
import type { Rung } from '../model/policy.js'
import { ladderMs, type StopPlan, type StopStep } from '../plan/stop-plan.js'
import { Gate, Turns } from './gates.js'
import { OffWatch } from './off-watch.js'
import { Recorder } from './recorder.js'
import type { RunnerParts } from './runner-parts.js'
import { shareOf } from './share-deadline.js'
import { tryRung } from './try-rung.js'

/** How a domain of a stop plan ended. */
export interface StopResult {
  readonly uuid: string
  readonly name: string
  /**
   * `clean`: it went off when asked. `saved`. `forced`: it was ended without its cooperation. `gone`: it had gone off
   * by itself. `left`: it is still up, as it was to be. `failed`: it could not even be ended.
   */
  readonly outcome: 'clean' | 'saved' | 'forced' | 'gone' | 'left' | 'failed'
  /** Always there but where it went off when asked. */
  readonly reason?: string | undefined
  /** From the plan's beginning. */
  readonly beganMs: number
  readonly endedMs: number
}

/** What became of a stop plan. */
export interface StopReport {
  readonly kind: 'stop'
  readonly results: readonly StopResult[]
  readonly tookMs: number
}

/** How a stop plan is run. */
export interface StopParts extends RunnerParts {
  /** The host goes down: nobody's veto counts, and what is started meanwhile goes down too. */
  readonly host?: boolean | undefined
}

/**
 * Follows `plan` under its deadline: each domain, once all that need it are off, is asked in one way after the other
 * until it is off; the last one needs no cooperation. Rejects only where `signal` fires: nothing more is asked then.
 */
export async function runStop(plan: StopPlan, parts: StopParts): Promise<StopReport> {
  // Node suspects a leak from eleven listeners on; here each guest has one.
  if (parts.signal) setMaxListeners(0, parts.signal)
  return new StopRun(plan, parts).run()
}

type Ending = Pick<StopResult, 'outcome' | 'reason'>

class StopRun {
  readonly #plan: StopPlan
  readonly #parts: StopParts
  readonly #recorder: Recorder
  readonly #watch: OffWatch
  readonly #turns: Turns
  readonly #through: ReadonlyMap<string, Gate>
  readonly #beganAt: number

  constructor(plan: StopPlan, parts: StopParts) {
    this.#plan = plan
    this.#parts = parts
    this.#recorder = new Recorder(parts)
    this.#watch = new OffWatch(parts.driver, parts.clock)
    this.#turns = new Turns(plan.steps.map(({ rank }) => rank))
    this.#through = new Map(plan.steps.map(({ uuid }) => [uuid, new Gate()]))
    this.#beganAt = parts.clock.now()
  }

  async run(): Promise<StopReport> {
    const { signal, host } = this.#parts
    try {
      throwIfAborted(signal)
      this.#recorder.note({ event: 'plan-began', plan: 'stop' })
      for (const { uuid } of this.#plan.steps) this.#watch.watch(uuid)
      const left = this.#plan.leftOut.map((each) => this.#leave(each))
      const planned = await Promise.all(this.#plan.steps.map((step) => this.#step(step)))
      throwIfAborted(signal)
      const late = host ? await this.#sweep() : []
      const results = [...planned, ...late, ...left]
      const tookMs = this.#elapsed()
      this.#recorder.note({ event: 'plan-ended', plan: 'stop', tookMs })
      return { kind: 'stop', results, tookMs }
    } finally {
      this.#watch.close()
      await this.#recorder.flush()
    }
  }

  #leave({ uuid, name, reason }: StopPlan['leftOut'][number]): StopResult {
    this.#recorder.note({ uuid, name, event: 'left', why: reason })
    this.#recorder.progress({ uuid, name }, 'left', reason)
    return { uuid, name, outcome: 'left', reason, beganMs: 0, endedMs: 0 }
  }

  /** Never rejects: what goes wrong is the result. */
  async #step(step: StopStep): Promise<StopResult> {
    let ending: Ending
    let beganMs = 0
    try {
      await this.#turns.turn(step.rank)
      for (const { uuid } of step.waits) await this.#through.get(uuid)?.passed
      throwIfAborted(this.#parts.signal)
      beganMs = this.#elapsed()
      ending = await this.#bringDown(step)
    } catch (error) {
      ending = { outcome: 'failed', reason: messageOf(error) }
    }
    const tookMs = this.#elapsed() - beganMs
    this.#tell(step, ending, tookMs)
    this.#through.get(step.uuid)?.open(true)
    this.#turns.through(step.rank)
    if (ending.outcome !== 'left' && ending.outcome !== 'failed') {
      await this.#recorder
        .hook(step, (hooks, context) => hooks.onStopped?.({ ...context, how: ending.outcome }), this.#parts)
        .catch(() => {})
    }
    const { uuid, name } = step
    return { uuid, name, ...ending, beganMs, endedMs: beganMs + tookMs }
  }

  async #bringDown(step: StopStep): Promise<Ending> {
    const { signal, host, logger } = this.#parts
    if ((await this.#watch.look(step.uuid, { signal })) !== undefined) {
      return { outcome: 'gone', reason: 'it had gone off already' }
    }
    const answer = await this.#recorder.hook(step, (hooks, context) => hooks.onBeforeStop?.(context), {
      signal,
    })
    if (answer?.veto !== undefined) {
      if (!host) return { outcome: 'left', reason: `a hook objects: ${answer.veto}` }
      logger.warn('A hook objects to what cannot be helped', { domain: step.name, veto: answer.veto })
    }
    this.#recorder.note({ ...refOf(step), event: 'stopping', why: step.reasons[0] })
    this.#recorder.progress(step, 'stopping')
    const tried: string[] = []
    const { ladder } = step.policy
    for (const [index, rung] of ladder.entries()) {
      const budgetMs = this.#share(rung, ladder.slice(index), step.afterMs)
      const found = await tryRung(rung, refOf(step), {
        ...this.#parts,
        watch: this.#watch,
        budgetMs,
        onAsked: (detail) => this.#recorder.progress(step, 'asked', detail),
      })
      if (found.off !== undefined) return endingOf(rung, found.off, tried)
      tried.push(found.why)
    }
    return { outcome: 'failed', reason: tried.join('; ') }
  }

  #share(rung: Rung, rest: readonly Rung[], afterMs: number): number {
    const leftMs = this.#plan.deadlineMs - this.#elapsed()
    return shareOf(rung.budgetMs, { leftMs, neededMs: ladderMs({ ladder: rest }) + afterMs })
  }

  /** Ends what has been started, or has restarted itself, since the plan was made. */
  async #sweep(): Promise<readonly StopResult[]> {
    const { driver, signal } = this.#parts
    const spared = new Set(this.#plan.leftOut.map(({ uuid }) => uuid))
    const up = await driver.listDomains({ active: true }, { signal }).catch(() => [])
    return Promise.all(
      up
        .filter(({ uuid }) => !spared.has(uuid))
        .map(({ uuid, name }) => {
          this.#watch.watch(uuid)
          return this.#end({ uuid, name }, 'it was started while the host goes down')
        }),
    )
  }

  async #end(domain: DomainRef, why: string): Promise<StopResult> {
    const beganMs = this.#elapsed()
    const rung = { by: 'destroy', budgetMs: lateBudgetMs } as const
    const found = await tryRung(rung, domain, { ...this.#parts, watch: this.#watch, budgetMs: lateBudgetMs })
    const ending: Ending =
      found.off === undefined ? { outcome: 'failed', reason: found.why } : { outcome: 'forced', reason: why }
    this.#tell(domain, ending, this.#elapsed() - beganMs)
    return { uuid: domain.uuid, name: domain.name, ...ending, beganMs, endedMs: this.#elapsed() }
  }

  #tell({ uuid, name }: DomainRef, { outcome, reason }: Ending, tookMs: number): void {
    const how = outcome === 'left' || outcome === 'failed' ? undefined : outcome
    const event = outcome === 'left' ? 'left' : outcome === 'failed' ? 'stop-failed' : 'stopped'
    this.#recorder.note({ uuid, name, event, how, why: reason, tookMs })
    const phase = outcome === 'left' ? 'left' : outcome === 'failed' ? 'failed' : 'off'
    this.#recorder.progress({ uuid, name }, phase, reason === undefined ? outcome : `${outcome}: ${reason}`)
    if (outcome === 'forced' || outcome === 'failed') {
      this.#parts.logger.warn('A domain did not go down by itself', { domain: name, outcome, reason })
    }
  }

  #elapsed(): number {
    return this.#parts.clock.now() - this.#beganAt
  }
}

const lateBudgetMs = 2000

/** What it means that the domain is off after this rung, given how it went off and what had been tried before. */
function endingOf(rung: Rung, detail: string, tried: readonly string[]): Ending {
  const before = tried.length > 0 ? tried.join('; ') : undefined
  if (detail === 'saved') return { outcome: 'saved', reason: before ?? 'as it was to be' }
  if (detail === 'crashed')
    return { outcome: 'forced', reason: join(before, 'it crashed while it went down') }
  if (rung.by === 'save') return { outcome: 'gone', reason: 'it went off before it was saved' }
  if (detail === 'destroyed') {
    const why = rung.by === 'destroy' ? (before ?? 'as it was to be') : 'somebody else ended it meanwhile'
    return { outcome: 'forced', reason: rung.by === 'destroy' ? why : join(before, why) }
  }
  return { outcome: 'clean', ...(before === undefined ? {} : { reason: before }) }
}

function join(first: string | undefined, second: string): string {
  return first === undefined ? second : `${first}; ${second}`
}

function refOf({ uuid, name }: StopStep): DomainRef {
  return { uuid, name }
}
