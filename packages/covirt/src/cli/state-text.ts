import type { DomainState, DomainStateName } from '@covirt/core'
import type { Colour } from './colour.js'

/** The states in virsh's words. */
const words: Readonly<Record<DomainStateName, string>> = {
  nostate: 'no state',
  running: 'running',
  blocked: 'idle',
  paused: 'paused',
  shutdown: 'in shutdown',
  shutoff: 'shut off',
  crashed: 'crashed',
  pmsuspended: 'pmsuspended',
}

/** A state in virsh's words. */
export function stateText({ state }: DomainState): string {
  return words[state]
}

/** How a state is coloured. */
export function stateColour({ state }: DomainState, colour: Colour): (text: string) => string {
  if (state === 'running' || state === 'blocked') return colour.green
  if (state === 'crashed') return colour.red
  return state === 'shutoff' ? colour.dim : colour.yellow
}
