import { type DomainState, domainStateNames, domainStateReasons } from '@covirt/core'

/** libvirt's numbers for a state and its reason. */
export interface StateNumbers {
  readonly state: number
  readonly reason: number
}

/** The numbers of `state`. */
export function stateToNumbers({ state, reason }: DomainState): StateNumbers {
  const reasons: readonly string[] = domainStateReasons[state]
  return { state: domainStateNames.indexOf(state), reason: Math.max(0, reasons.indexOf(reason)) }
}

/** The state that has these numbers; what has none here is `nostate`, and a reason `unknown`. */
export function stateFromNumbers({ state, reason }: StateNumbers): DomainState {
  const name = domainStateNames[state] ?? 'nostate'
  const reasons: readonly string[] = domainStateReasons[name]
  return { state: name, reason: reasons[reason] ?? 'unknown' } as DomainState
}
