import type { DomainRef } from '@covirt/core'
import type { SimulationWorld } from './simulate.js'
import type { SimulatedGuests } from './simulated-guests.js'

/** One thing that goes wrong in a simulation, by the name of the domain. */
export type Fault = { readonly domain: string } & (
  | { readonly kind: 'fail-start'; readonly times?: number | undefined }
  | { readonly kind: 'slow-start'; readonly ms: number }
  | { readonly kind: 'never-ready' }
  | { readonly kind: 'slow-shutdown'; readonly ms: number }
  /** Loses so many requests to go down; all of them by default. */
  | { readonly kind: 'ignore-shutdown'; readonly times?: number | undefined }
  /** So long after the plan of that phase begins. */
  | {
      readonly kind: 'crash' | 'panic' | 'hang' | 'power-off'
      readonly during: 'up' | 'down'
      readonly atMs: number
    }
)

interface FaultWorld extends SimulationWorld {
  readonly guests: SimulatedGuests
}

/** Makes happen in this phase what `fault` says, where it belongs there. */
export async function applyFault(fault: Fault, during: 'up' | 'down', world: FaultWorld): Promise<void> {
  const { controls } = world.driver
  switch (fault.kind) {
    case 'fail-start':
      if (during === 'up')
        controls.behave(fault.domain, { failStarts: fault.times ?? Number.POSITIVE_INFINITY })
      break
    case 'slow-start':
      if (during === 'up') controls.behave(fault.domain, { startDelayMs: fault.ms })
      break
    case 'never-ready':
      if (during === 'up') await neverReady(fault.domain, world)
      break
    case 'slow-shutdown':
      if (during === 'down') controls.behave(fault.domain, { shutdownDelayMs: fault.ms })
      break
    case 'ignore-shutdown':
      if (during === 'down')
        controls.behave(fault.domain, { ignoreShutdowns: fault.times ?? Number.POSITIVE_INFINITY })
      break
    default:
      if (during === fault.during) void later(fault, world)
  }
}

async function neverReady(name: string, { driver, guests }: FaultWorld): Promise<void> {
  driver.controls.behave(name, { agentDelayMs: 1e12 })
  const domain: DomainRef = await driver.lookupDomain({ name })
  guests.readyAfter(domain, Number.POSITIVE_INFINITY)
}

async function later(
  fault: Extract<Fault, { readonly atMs: number }>,
  { driver, clock }: FaultWorld,
): Promise<void> {
  await clock.sleep(fault.atMs)
  try {
    const { controls } = driver
    if (fault.kind === 'crash') controls.crash(fault.domain)
    else if (fault.kind === 'panic') controls.panic(fault.domain)
    else if (fault.kind === 'hang') controls.hang(fault.domain)
    else controls.powerOff(fault.domain)
  } catch {
    // What does not run cannot go wrong.
  }
}
