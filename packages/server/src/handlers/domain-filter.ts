import { type DomainFilter, type DomainStateName, domainStateNames } from '@covirt/core'

/** virConnectListAllDomainsFlags. Of each group: one flag filters, both or none do not. */
const active = { yes: 1, no: 2 }
const persistent = { yes: 4, no: 8 }
const states = { running: 16, paused: 32, shutoff: 64 } as const
const otherStates = 128
const autostart = { yes: 1024, no: 2048 }
/** Managed saves, snapshots and checkpoints: no domain has any. */
const never = [
  { yes: 256, no: 512 },
  { yes: 4096, no: 8192 },
  { yes: 16_384, no: 32_768 },
]

/** The filter that a client's flags mean; `undefined` where nothing can pass. */
export function filterOf(flags: number): DomainFilter | undefined {
  if (never.some((group) => eitherOf(flags, group) === true)) return undefined
  return {
    active: eitherOf(flags, active),
    persistent: eitherOf(flags, persistent),
    autostart: eitherOf(flags, autostart),
    states: statesOf(flags),
  }
}

function eitherOf(flags: number, group: { readonly yes: number; readonly no: number }): boolean | undefined {
  const yes = (flags & group.yes) !== 0
  const no = (flags & group.no) !== 0
  return yes === no ? undefined : yes
}

function statesOf(flags: number): readonly DomainStateName[] | undefined {
  const named = Object.entries(states)
  const chosen = domainStateNames.filter((state) => {
    const flag = named.find(([name]) => name === state)?.[1] ?? otherStates
    return (flags & flag) !== 0
  })
  return chosen.length === 0 ? undefined : chosen
}
