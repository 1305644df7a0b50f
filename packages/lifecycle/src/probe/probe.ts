import {
  type CallOptions,
  type Clock,
  type DomainRef,
  type Driver,
  VirError,
  withoutStack,
} from '@covirt/core'
import type { ProbeKind, ProbeSpec } from '../model/policy.js'
import type { ProbeIo } from './probe-io.js'

/** What a probe works with. */
export interface ProbeContext extends CallOptions {
  readonly driver: Driver
  readonly domain: DomainRef
  readonly io: ProbeIo
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** The specification of one kind of probe. */
type SpecOf<K extends ProbeKind> = Extract<ProbeSpec, { readonly kind: K }>

/**
 * Makes one attempt: resolves where the guest has proved to be ready, rejects with the reason where it has not yet.
 * `NO_SUPPORT` and `CONFIG_UNSUPPORTED` mean that it never will.
 */
export type Probe<K extends ProbeKind> = (spec: SpecOf<K>, context: ProbeContext) => Promise<void>

/** Why an attempt has not succeeded: most have not. */
export function notYet(reason: string): VirError {
  return withoutStack(() => new VirError('OPERATION_FAILED', reason))
}
