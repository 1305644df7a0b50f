import { VirError } from '@covirt/core'
import type { ActiveGuest, DomainEntry } from './domain-entry.js'

/** The guest of an active domain; `OPERATION_INVALID` where it is off. */
export function requireActive(entry: DomainEntry): ActiveGuest {
  if (entry.active) return entry.active
  throw invalid(`Domain '${entry.name}' is not active`, 'Start it first')
}

/** `OPERATION_INVALID` where the domain is active. */
export function requireInactive({ name, state, active }: DomainEntry): void {
  if (active)
    throw invalid(`Domain '${name}' is already active`, `It is ${state.state}, with id ${active.id}`)
}

/** `OPERATION_INVALID` where the domain is transient. */
export function requirePersistent({ name, definition }: DomainEntry): void {
  if (!definition) throw invalid(`Domain '${name}' is transient`, 'Define it first: that makes it persistent')
}

/** `OPERATION_INVALID` where the guest has crashed and is kept. */
export function requireNotCrashed({ name, state }: DomainEntry): void {
  if (state.state === 'crashed')
    throw invalid(`Domain '${name}' has crashed`, 'Destroy it, then start it again')
}

function invalid(message: string, hint: string): VirError {
  return new VirError('OPERATION_INVALID', message, { domain: 'DOM', hint })
}
