import { type DomainFilter, type DomainRef, type DomainStateName, domainStateNames } from '@covirt/core'
import type { Call } from '../handler.js'
import { hasFlag } from './flags.js'

/** virConnectListAllDomainsFlags. Of each group: one flag filters, both or none do not. */
const active = { yes: 1, no: 2 }
const persistent = { yes: 4, no: 8 }
const states = { running: 16, paused: 32, shutoff: 64 } as const
const otherStates = 128
const managedSave = { yes: 256, no: 512 }
const autostart = { yes: 1024, no: 2048 }
const snapshots = { yes: 4096, no: 8192 }
/** Checkpoints: no domain has any. */
const checkpoints = { yes: 16_384, no: 32_768 }

/** The filter that a client's flags mean, but for what is known of each domain by itself alone. */
export function filterOf(flags: number): DomainFilter {
  return {
    active: eitherOf(flags, active),
    persistent: eitherOf(flags, persistent),
    autostart: eitherOf(flags, autostart),
    states: statesOf(flags),
  }
}

/** Whether a client's flags let a domain that has passed {@link filterOf} pass as well. */
export async function passes({ driver, options }: Call, domain: DomainRef, flags: number): Promise<boolean> {
  if (eitherOf(flags, checkpoints) === true) return false
  const saved = eitherOf(flags, managedSave)
  if (saved !== undefined) {
    const has = await driver.savedState?.hasManagedSave(domain, options)
    if ((has ?? false) !== saved) return false
  }
  const withSnapshots = eitherOf(flags, snapshots)
  if (withSnapshots === undefined) return true
  const taken = await driver.snapshots?.listSnapshots(domain, options)
  return (taken ?? []).length > 0 === withSnapshots
}

/** Whether {@link passes} needs to be asked. */
export function needsLook(flags: number): boolean {
  return [managedSave, snapshots, checkpoints].some((group) => eitherOf(flags, group) !== undefined)
}

function eitherOf(flags: number, group: { readonly yes: number; readonly no: number }): boolean | undefined {
  const yes = hasFlag(flags, group.yes)
  return yes === hasFlag(flags, group.no) ? undefined : yes
}

function statesOf(flags: number): readonly DomainStateName[] | undefined {
  const named = Object.entries(states)
  const chosen = domainStateNames.filter((state) => {
    const flag = named.find(([name]) => name === state)?.[1] ?? otherStates
    return hasFlag(flags, flag)
  })
  return chosen.length === 0 ? undefined : chosen
}
