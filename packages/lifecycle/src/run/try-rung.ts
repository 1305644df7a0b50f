import {
  type CallOptions,
  type Clock,
  type DomainRef,
  type Driver,
  isVirError,
  messageOf,
  type ShutdownMode,
  throwIfAborted,
} from '@covirt/core'
import type { Rung } from '../model/policy.js'
import type { OffDetail, OffWatch } from './off-watch.js'
import { Scope } from './scope.js'

/** What one way of bringing a domain down is tried with. */
export interface RungParts extends CallOptions {
  readonly driver: Driver
  readonly clock: Clock
  readonly watch: OffWatch
  readonly budgetMs: number
  readonly onAsked?: ((detail: string) => void) | undefined
}

/** What came of it: how the domain went off, or why it did not. */
export type RungResult =
  | { readonly off: OffDetail; readonly why?: undefined }
  | { readonly off?: undefined; readonly why: string }

/** How long after a request the next one is made: what is asked in the first seconds of a boot is lost by most. */
const againAfterMs = [1000, 2000, 4000, 8000, 10_000]
/** An agent that says nothing for so long will not. */
const agentTimeoutMs = 5000

/** Tries one way of bringing a domain down, for as long as its budget lasts. Rejects only where `signal` fires. */
export async function tryRung(rung: Rung, domain: DomainRef, parts: RungParts): Promise<RungResult> {
  if (rung.by === 'destroy') return destroy(domain, parts)
  if (parts.budgetMs <= 0) return { why: `no time is left to try ${rung.by}` }
  if (rung.by === 'save') return save(domain, parts)
  return ask(rung.by, domain, parts)
}

async function ask(
  by: Exclude<Rung['by'], 'destroy' | 'save'>,
  domain: DomainRef,
  parts: RungParts,
): Promise<RungResult> {
  const { clock, watch, budgetMs, signal } = parts
  const until = clock.now() + budgetMs
  let problem: string | undefined
  for (let count = 0; ; count++) {
    const leftMs = until - clock.now()
    if (leftMs <= 0) break
    const limitMs = by === 'agent' ? Math.min(leftMs, agentTimeoutMs) : leftMs
    const answer = await raceOff(domain, { ...parts, budgetMs: limitMs }, (options) =>
      request(by, domain, parts.driver, options),
    )
    if (answer.off !== undefined) return { off: answer.off }
    if (answer.error !== undefined) {
      problem = messageOf(answer.error)
      if (isHopeless(answer.error) || (by === 'agent' && isVirError(answer.error, 'AGENT_UNRESPONSIVE'))) {
        return { why: `${nameOf(by)} cannot be used: ${problem}` }
      }
      if (await isCrashed(domain, parts)) return { why: 'it has crashed and cannot be asked' }
    } else if (answer.timedOut) {
      problem = 'the request did not get through'
      if (by === 'agent') return { why: 'its agent does not answer' }
    } else {
      problem = undefined
      parts.onAsked?.(`${nameOf(by)}${count > 0 ? `, ${count + 1} times` : ''}`)
    }
    const pauseMs = againAfterMs[Math.min(count, againAfterMs.length - 1)] ?? 0
    const off = await watch.wait(domain.uuid, Math.min(pauseMs, until - clock.now()), { signal })
    if (off !== undefined) return { off }
  }
  const off = await watch.look(domain.uuid, { signal })
  if (off !== undefined) return { off }
  const why = problem === undefined ? 'the guest did not act on it' : problem
  return { why: `asked by ${nameOf(by)} for ${budgetMs / 1000} s: ${why}` }
}

async function request(
  by: Exclude<Rung['by'], 'destroy' | 'save'>,
  domain: DomainRef,
  driver: Driver,
  options: CallOptions,
): Promise<void> {
  // Not every driver wakes what cannot hear.
  const { state } = await driver.getDomainState(domain, options)
  if (state === 'paused') await driver.resumeDomain(domain, options)
  const mode: ShutdownMode | undefined = by === 'request' ? undefined : by
  await driver.shutdownDomain(domain, mode === undefined ? options : { ...options, mode })
}

async function save(domain: DomainRef, parts: RungParts): Promise<RungResult> {
  const { driver, budgetMs } = parts
  const { savedState } = driver
  if (!savedState) return { why: 'it cannot be saved: its driver keeps no state of guests' }
  const answer = await raceOff(domain, parts, (options) => savedState.managedSave(domain, options))
  if (answer.off !== undefined) return { off: answer.off }
  if (answer.error !== undefined) return { why: `saving it failed: ${messageOf(answer.error)}` }
  return { why: `saving it took longer than ${budgetMs / 1000} s` }
}

/** The least time that ending a guest gets, whatever the deadline says: without it nothing is certain. */
const leastDestroyMs = 1500
const destroyPauseMs = 250

async function destroy(domain: DomainRef, parts: RungParts): Promise<RungResult> {
  const { driver, clock, watch, signal } = parts
  const budgetMs = Math.max(parts.budgetMs, leastDestroyMs)
  const until = clock.now() + budgetMs
  let why = 'ending it had no effect'
  for (;;) {
    const leftMs = until - clock.now()
    if (leftMs <= 0) return { why: `it could not be ended within ${budgetMs / 1000} s: ${why}` }
    const answer = await raceOff(domain, { ...parts, budgetMs: leftMs }, (options) =>
      driver.destroyDomain(domain, options),
    )
    if (answer.off !== undefined) return { off: answer.off }
    if (answer.error !== undefined) why = messageOf(answer.error)
    const off =
      (await watch.look(domain.uuid, { signal })) ??
      (await watch.wait(domain.uuid, Math.min(destroyPauseMs, leftMs), { signal }))
    if (off !== undefined) return { off }
  }
}

interface Answer {
  readonly off?: OffDetail | undefined
  readonly error?: unknown
  readonly timedOut?: boolean | undefined
}

/** Makes a call, but waits for it no longer than until the domain is off or the budget is used up; then cancels it. */
async function raceOff(
  domain: DomainRef,
  { watch, budgetMs, signal }: RungParts,
  call: (options: CallOptions) => Promise<unknown>,
): Promise<Answer> {
  const scope = new Scope(signal)
  const called = call({ signal: scope.signal }).then(
    (): Answer => ({ off: watch.detailOf(domain.uuid) }),
    (error: unknown): Answer => (isVirError(error, 'NO_DOMAIN') ? { off: 'unknown' } : { error }),
  )
  const waited = watch.wait(domain.uuid, budgetMs, { signal: scope.signal }).then(
    (off): Answer => ({ off, timedOut: off === undefined }),
    (): Answer => ({ timedOut: true }),
  )
  const answer = await Promise.race([called, waited])
  scope.end()
  throwIfAborted(signal)
  return answer
}

function isHopeless(error: unknown): boolean {
  return isVirError(error, 'ARGUMENT_UNSUPPORTED') || isVirError(error, 'NO_SUPPORT')
}

async function isCrashed(domain: DomainRef, { driver, signal }: RungParts): Promise<boolean> {
  try {
    const { state } = await driver.getDomainState(domain, { signal })
    return state === 'crashed' || state === 'nostate'
  } catch {
    return false
  }
}

function nameOf(by: Exclude<Rung['by'], 'destroy' | 'save'>): string {
  const names = { agent: 'its agent', acpi: 'the power button', signal: 'a signal', request: 'request' }
  return names[by]
}
