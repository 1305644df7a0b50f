import { setMaxListeners } from 'node:events'
import { isVirError, messageOf, throwIfAborted, VirError } from '@covirt/core'
import { backoffOf, type StartPlan, type StartStep } from '../plan/start-plan.js'
import { waitReady } from '../probe/wait-ready.js'
import { clearOnce } from './clear-once.js'
import { Gate, Turns } from './gates.js'
import { waitForRequirement } from './host-conditions.js'
import { Recorder } from './recorder.js'
import type { RunnerParts } from './runner-parts.js'
import { Scope } from './scope.js'
import { Slots } from './slots.js'
import { within } from './within.js'

/** What became of one domain of a start plan. */
export interface StartResult {
  readonly uuid: string
  readonly name: string
  /** `ready`; `not-ready`: it runs, but has not proved to be ready; `failed`: it could not be started. */
  readonly outcome: 'ready' | 'not-ready' | 'failed' | 'skipped'
  readonly reason?: string | undefined
  /** It had been running before. */
  readonly wasActive: boolean
  readonly attempts: number
  /** From the plan's beginning. */
  readonly beganMs: number
  readonly startedMs?: number | undefined
  readonly endedMs: number
}

/** What became of a start plan. */
export interface StartReport {
  readonly kind: 'start'
  readonly results: readonly StartResult[]
  readonly tookMs: number
}

/**
 * Follows `plan`: each step begins as soon as everything that it waits for has come to pass and there is a place for
 * it. What fails holds up nothing but those that cannot do without it. Rejects only where `signal` fires: nothing
 * more is started then, and starts under way are undone.
 */
export async function runStart(plan: StartPlan, parts: RunnerParts): Promise<StartReport> {
  // Node suspects a leak from eleven listeners on; here each guest has one.
  if (parts.signal) setMaxListeners(0, parts.signal)
  return new StartRun(plan, parts).run()
}

type Ending = Pick<StartResult, 'outcome' | 'reason'>

class StartRun {
  readonly #plan: StartPlan
  readonly #parts: RunnerParts
  readonly #recorder: Recorder
  readonly #slots: Slots
  readonly #turns: Turns
  readonly #started: ReadonlyMap<string, Gate>
  readonly #ready: ReadonlyMap<string, Gate>
  readonly #endings = new Map<string, Ending>()
  readonly #off = new Map<string, AbortController>()
  readonly #beganAt: number

  constructor(plan: StartPlan, parts: RunnerParts) {
    this.#plan = plan
    this.#parts = parts
    this.#recorder = new Recorder(parts)
    this.#slots = new Slots(plan.limit)
    this.#turns = new Turns(plan.steps.map(({ order }) => order))
    this.#started = new Map(plan.steps.map(({ uuid }) => [uuid, new Gate()]))
    this.#ready = new Map(plan.steps.map(({ uuid }) => [uuid, new Gate()]))
    this.#beganAt = parts.clock.now()
  }

  async run(): Promise<StartReport> {
    const { driver, signal } = this.#parts
    throwIfAborted(signal)
    this.#recorder.note({ event: 'plan-began', plan: 'start' })
    const unsubscribe = driver.subscribe((event) => {
      if (event.type !== 'lifecycle' || event.event !== 'stopped') return
      this.#off.get(event.domain.uuid)?.abort(new Error(`it went off (${event.detail})`))
    })
    try {
      const results = await Promise.all(this.#plan.steps.map((step, index) => this.#step(step, index)))
      throwIfAborted(signal)
      const tookMs = this.#elapsed()
      this.#recorder.note({ event: 'plan-ended', plan: 'start', tookMs })
      return { kind: 'start', results, tookMs }
    } finally {
      unsubscribe()
      await this.#recorder.flush()
    }
  }

  /** Never rejects: what goes wrong is the result. */
  async #step(step: StartStep, index: number): Promise<StartResult> {
    const { uuid, name, active } = step
    const attempt = { count: 0, beganMs: 0, startedMs: undefined as number | undefined }
    let ending: Ending
    try {
      if (!active) await this.#turns.turn(step.order)
      const blocked = await this.#waitForOthers(step)
      attempt.beganMs = this.#elapsed()
      if (blocked !== undefined) ending = { outcome: 'skipped', reason: blocked }
      else ending = await this.#bringUp(step, index, attempt)
    } catch (error) {
      ending = { outcome: 'failed', reason: messageOf(error) }
    }
    this.#endings.set(uuid, ending)
    this.#tell(step, ending, attempt.beganMs)
    this.#started.get(uuid)?.open(ending.outcome === 'ready' || ending.outcome === 'not-ready')
    this.#ready.get(uuid)?.open(ending.outcome === 'ready')
    this.#turns.through(step.order)
    const { beganMs, startedMs, count } = attempt
    return {
      uuid,
      name,
      ...ending,
      wasActive: active,
      attempts: count,
      beganMs,
      startedMs,
      endedMs: this.#elapsed(),
    }
  }

  /** Why the step cannot be taken, once that is known. */
  async #waitForOthers(step: StartStep): Promise<string | undefined> {
    for (const { uuid, name, until, onFailure } of step.waits) {
      const gate = (until === 'started' ? this.#started : this.#ready).get(uuid)
      const passed = await gate?.passed
      throwIfAborted(this.#parts.signal)
      if (passed !== false || onFailure === 'start') continue
      const { outcome, reason } = this.#endings.get(uuid) ?? { outcome: 'failed' }
      const what = {
        ready: 'is not ready',
        'not-ready': 'is not ready',
        failed: 'has failed',
        skipped: 'was skipped',
      }
      const told = `'${name}', which it is to start after, ${what[outcome]}`
      return outcome === 'skipped' || reason === undefined ? told : `${told}: ${reason}`
    }
    return undefined
  }

  async #bringUp(
    step: StartStep,
    index: number,
    attempt: { count: number; startedMs: number | undefined },
  ): Promise<Ending> {
    const { policy } = step
    const { clock, conditions, signal } = this.#parts
    throwIfAborted(signal)
    if (step.active) {
      this.#off.set(step.uuid, new AbortController())
      attempt.startedMs = this.#elapsed()
      return this.#proveReady(step)
    }
    if (policy.requires.length > 0)
      this.#recorder.progress(step, 'waiting', 'for what it requires of the host')
    await Promise.all(policy.requires.map((each) => waitForRequirement(each, { conditions, clock, signal })))
    const answer = await this.#recorder.hook(step, (hooks, context) => hooks.onBeforeStart?.(context), {
      signal,
    })
    if (answer?.veto !== undefined) return { outcome: 'skipped', reason: `a hook objects: ${answer.veto}` }
    for (;;) {
      const free = await this.#slots.take(index, signal)
      try {
        attempt.count += 1
        await this.#startOnce(step, attempt.count)
        attempt.startedMs = this.#elapsed()
        return await this.#afterStart(step, free)
      } catch (error) {
        free()
        throwIfAborted(signal)
        if (attempt.count >= policy.attempts) throw error
        const pauseMs = backoffOf(policy, attempt.count)
        this.#recorder.note({ ...nameOf(step), event: 'start-failed', why: messageOf(error) })
        this.#recorder.progress(step, 'retrying', `in ${pauseMs / 1000} s: ${messageOf(error)}`)
        await clock.sleep(pauseMs, { signal })
      } finally {
        free()
      }
    }
  }

  async #startOnce(step: StartStep, count: number): Promise<void> {
    const { driver, clock, signal } = this.#parts
    const { attempts, timeoutMs, once } = step.policy
    const marked = once && { once }
    this.#off.set(step.uuid, new AbortController())
    this.#recorder.progress(step, 'starting', attempts > 1 ? `attempt ${count} of ${attempts}` : undefined)
    this.#recorder.note({ ...nameOf(step), event: 'starting', why: step.reasons[0], ...marked })
    const begun = clock.now()
    try {
      await within(clock, timeoutMs, { signal }, (options) => driver.startDomain(step, options))
    } catch (error) {
      // Somebody else was faster; that is what was wanted.
      if (!(isVirError(error, 'OPERATION_INVALID') && (await this.#runs(step)))) throw error
    }
    this.#recorder.note({ ...nameOf(step), event: 'started', tookMs: clock.now() - begun, ...marked })
    this.#recorder.progress(step, 'started')
    await this.#recorder.hook(step, (hooks, context) => hooks.onStarted?.(context), { signal })
    if (once) await clearOnce(step, this.#parts, this.#recorder)
  }

  async #runs(step: StartStep): Promise<boolean> {
    const { driver, signal } = this.#parts
    const { state } = await driver.getDomainState(step, { signal })
    return state === 'running' || state === 'paused' || state === 'blocked'
  }

  /** The delay, which takes no place, then the probes, which do: a guest that boots keeps a processor busy. */
  async #afterStart(step: StartStep, free: () => void): Promise<Ending> {
    const { clock, signal } = this.#parts
    const off = this.#off.get(step.uuid)?.signal
    if (!step.policy.readiness) free()
    if (step.policy.delayMs > 0) {
      using scope = new Scope(signal, off)
      try {
        await clock.sleep(step.policy.delayMs, scope)
      } catch (error) {
        throw this.#wentOff(off, error)
      }
    }
    if (off?.aborted && !(await this.#runs(step))) throw this.#wentOff(off, off.reason)
    this.#started.get(step.uuid)?.open(true)
    return this.#proveReady(step)
  }

  async #proveReady(step: StartStep): Promise<Ending> {
    const { driver, probeIo: io, clock, signal } = this.#parts
    const { readiness } = step.policy
    if (!readiness) return { outcome: 'ready' }
    const off = this.#off.get(step.uuid)?.signal
    this.#recorder.progress(step, 'probing', readiness.probes.map(({ kind }) => kind).join(', '))
    using scope = new Scope(signal, off)
    try {
      await waitReady(readiness, step, { driver, io, clock, signal: scope.signal })
      return { outcome: 'ready' }
    } catch (error) {
      throwIfAborted(signal)
      if (off?.aborted) throw this.#wentOff(off, error)
      return { outcome: 'not-ready', reason: messageOf(error) }
    }
  }

  #wentOff(off: AbortSignal | undefined, error: unknown): unknown {
    if (!off?.aborted) return error
    return new VirError('OPERATION_FAILED', `${messageOf(off.reason)} before it was ready`, { domain: 'DOM' })
  }

  #tell(step: StartStep, { outcome, reason }: Ending, beganMs: number): void {
    const event = outcome === 'failed' ? 'start-failed' : outcome
    const tookMs = this.#elapsed() - beganMs
    this.#recorder.note({ ...nameOf(step), event, why: reason, tookMs })
    this.#recorder.progress(step, outcome, reason)
    if (outcome !== 'ready') {
      this.#parts.logger.warn('A domain is not up as planned', { domain: step.name, outcome, reason })
      return
    }
    void this.#recorder.hook(step, (hooks, context) => hooks.onReady?.(context), this.#parts).catch(() => {})
  }

  #elapsed(): number {
    return this.#parts.clock.now() - this.#beganAt
  }
}

function nameOf({ uuid, name }: StartStep): { readonly uuid: string; readonly name: string } {
  return { uuid, name }
}
