import type { OptionalRoles, RoleName } from '@covirt/core'
import type { PeerCalls } from './peer-calls.js'
import { rolesByName } from './roles/by-name.js'
import { consoleRole } from './roles/console.js'
import { execRole } from './roles/exec.js'
import { guestAgentRole } from './roles/guest-agent.js'
import { resetRole } from './roles/reset.js'
import { savedStateRole } from './roles/saved-state.js'
import type { Peer } from './session.js'

/** What libvirt's daemons can do of our roles, by the kind of the driver. */
const rolesOfLibvirt: Readonly<Record<string, readonly string[]>> = {
  QEMU: ['console', 'reset', 'guestAgent', 'savedState'],
  LXC: ['console'],
  Xen: ['console'],
  CH: ['console'],
}

const makers: { readonly [R in RoleName]?: (calls: PeerCalls) => OptionalRoles[R] } = {
  console: consoleRole,
  reset: resetRole,
  guestAgent: guestAgentRole,
  exec: execRole,
  savedState: savedStateRole,
}

/** The roles that the peer has and that can be had over the wire. */
export function remoteRoles(calls: PeerCalls, { type, covirt }: Peer): OptionalRoles {
  const names = covirt?.roles ?? rolesOfLibvirt[type] ?? []
  const roles = Object.entries(makers).flatMap(([name, make]) =>
    names.includes(name) ? [[name, make(calls)]] : [],
  )
  return { ...Object.fromEntries(roles), ...(covirt && rolesByName(calls, names)) }
}
