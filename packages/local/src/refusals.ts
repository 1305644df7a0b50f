import { VirError } from '@covirt/core'
import type { DomainXml } from '@covirt/xml'
import type { ActiveGuest, DomainEntry } from './domain-entry.js'

/** The guest of an active domain; `OPERATION_INVALID` where it is off, or cannot be reached. */
export function requireActive(entry: DomainEntry): ActiveGuest {
  if (entry.active) return entry.active
  if (entry.lost) throw lost(entry.name, entry.lost.reason)
  throw invalid(`Domain '${entry.name}' is not active`, 'Start it first')
}

/** `OPERATION_INVALID` where the domain is active, or may be. */
export function requireInactive({ name, state, active, lost: lostGuest }: DomainEntry): void {
  if (lostGuest) throw lost(name, lostGuest.reason)
  if (active)
    throw invalid(`Domain '${name}' is already active`, `It is ${state.state}, with id ${active.id}`)
}

/** `OPERATION_INVALID` where the domain may have a guest that cannot be reached. */
export function requireReachable({ name, lost: lostGuest }: DomainEntry): void {
  if (lostGuest) throw lost(name, lostGuest.reason)
}

/** The stored definition; `OPERATION_INVALID` where the domain is transient. */
export function requirePersistent({ name, definition }: DomainEntry): DomainXml {
  if (definition) return definition
  throw invalid(`Domain '${name}' is transient`, 'Define it first: that makes it persistent')
}

/** `OPERATION_INVALID` where the definition is another program's. */
export function requireOwn({ name, isForeign }: DomainEntry): void {
  if (isForeign)
    throw invalid(
      `Domain '${name}' is defined by another program`,
      'Define it here first, or use that program',
    )
}

/** `OPERATION_INVALID` where the domain has this name already. */
export function requireOtherName({ name }: DomainEntry, newName: string): void {
  if (name === newName) throw invalid(`Domain '${name}' has that name already`, 'Choose another one')
}

/** `OPERATION_INVALID` where the guest has crashed and is kept. */
export function requireNotCrashed({ name, state }: DomainEntry): void {
  if (state.state === 'crashed')
    throw invalid(`Domain '${name}' has crashed`, 'Destroy it, then start it again')
}

function lost(name: string, reason: string): VirError {
  return invalid(
    `Domain '${name}' may have a guest that could not be reached: ${reason}`,
    'Close and open the connection to look for it again, or destroy the domain to end it',
  )
}

function invalid(message: string, hint: string): VirError {
  return new VirError('OPERATION_INVALID', message, { domain: 'DOM', hint })
}
