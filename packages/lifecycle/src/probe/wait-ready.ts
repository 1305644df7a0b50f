import {
  type CallOptions,
  type Clock,
  type DomainRef,
  type Driver,
  isVirError,
  messageOf,
  VirError,
} from '@covirt/core'
import type { ProbeSpec, Readiness } from '../model/policy.js'
import { Scope } from '../run/scope.js'
import { within } from '../run/within.js'
import { probeAddress } from './address.js'
import { probeAgent } from './agent.js'
import { probeConsole } from './console.js'
import { probeExec } from './exec.js'
import { probeHttp } from './http.js'
import { probeInit } from './init.js'
import { probeNotify } from './notify.js'
import type { ProbeContext } from './probe.js'
import type { ProbeIo } from './probe-io.js'
import { probeTcp } from './tcp.js'

/** What readiness is found out with. */
export interface WaitReadyParts extends CallOptions {
  readonly driver: Driver
  readonly io: ProbeIo
  readonly clock: Clock
}

/**
 * Resolves, with what has proved it, once the guest is ready. Rejects with `OPERATION_TIMEOUT`, saying what the last
 * attempt found, where it does not become so in time, and at once where a probe cannot be used with it at all.
 */
export async function waitReady(
  { match, probes }: Readiness,
  domain: DomainRef,
  parts: WaitReadyParts,
): Promise<string> {
  const scope = new Scope(parts.signal)
  const running = probes.map((spec) => repeat(spec, domain, { ...parts, signal: scope.signal }))
  try {
    if (match === 'any') return await firstOf(running)
    const proofs = await Promise.all(running)
    return proofs.join(' and ')
  } finally {
    scope.end()
    await Promise.allSettled(running)
  }
}

async function firstOf(running: readonly Promise<string>[]): Promise<string> {
  try {
    return await Promise.any(running)
  } catch (error) {
    if (!(error instanceof AggregateError)) throw error
    const reasons = error.errors.map(messageOf)
    throw new VirError('OPERATION_TIMEOUT', reasons.join('; '), { domain: 'DOM', cause: error.errors[0] })
  }
}

async function repeat(spec: ProbeSpec, domain: DomainRef, parts: WaitReadyParts): Promise<string> {
  const { driver, io, clock, signal } = parts
  let last: unknown
  try {
    await within(clock, spec.timeoutMs, { signal }, async (options) => {
      for (;;) {
        try {
          return await attempt(spec, { driver, domain, io, clock, ...options })
        } catch (error) {
          if (options.signal.aborted) throw error
          last = error
          if (isVirError(error, 'NO_SUPPORT') || isVirError(error, 'CONFIG_UNSUPPORTED')) throw error
        }
        await clock.sleep(spec.intervalMs, options)
      }
    })
  } catch (cause) {
    if (signal?.aborted || !isVirError(cause, 'OPERATION_TIMEOUT')) throw cause
    const why = last === undefined ? 'it did not answer' : messageOf(last)
    const message = `the probe '${spec.kind}' has not succeeded within ${spec.timeoutMs / 1000} s: ${why}`
    throw new VirError('OPERATION_TIMEOUT', message, { domain: 'DOM', cause })
  }
  return spec.kind
}

function attempt(spec: ProbeSpec, context: ProbeContext): Promise<void> {
  switch (spec.kind) {
    case 'agent':
      return probeAgent(spec, context)
    case 'tcp':
      return probeTcp(spec, context)
    case 'http':
      return probeHttp(spec, context)
    case 'exec':
      return probeExec(spec, context)
    case 'console':
      return probeConsole(spec, context)
    case 'address':
      return probeAddress(spec, context)
    case 'init':
      return probeInit(spec, context)
    case 'notify':
      return probeNotify(spec, context)
  }
}
