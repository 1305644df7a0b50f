import type { OptionalRoles, RoleName } from '@covirt/core'
import type { PeerCalls } from './peer-calls.js'
import { rolesByName } from './roles/by-name.js'
import { consoleRole, consoleRoleOfLibvirt } from './roles/console.js'
import { devicesRole } from './roles/devices.js'
import { execRole } from './roles/exec.js'
import { fileStreams } from './roles/files.js'
import { graphicsRole } from './roles/graphics.js'
import { guestAgentRole } from './roles/guest-agent.js'
import { guestTimeRole } from './roles/guest-time.js'
import { keyboardRole } from './roles/keyboard.js'
import { nativeConfigRole } from './roles/native-config.js'
import { nmiRole } from './roles/nmi.js'
import { resetRole } from './roles/reset.js'
import { savedStateRole } from './roles/saved-state.js'
import { tuningRole } from './roles/tuning.js'
import type { Peer } from './session.js'

/** What libvirt's daemons can do of our roles, by the kind of the driver. */
const rolesOfLibvirt: Readonly<Record<string, readonly string[]>> = {
  QEMU: ['console', 'reset', 'guestAgent', 'savedState', 'keyboard', 'nmi', 'guestTime', 'devices', 'tuning'],
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
  graphics: graphicsRole,
  keyboard: keyboardRole,
  nmi: nmiRole,
  guestTime: guestTimeRole,
  devices: devicesRole,
  tuning: tuningRole,
}

/** The roles that the peer has and that can be had over the wire. */
export function remoteRoles(calls: PeerCalls, { type, covirt }: Peer): OptionalRoles {
  const names = covirt?.roles ?? rolesOfLibvirt[type] ?? []
  const roles = Object.entries(makers).flatMap(([name, make]) =>
    names.includes(name) ? [[name, make(calls)]] : [],
  )
  const all: OptionalRoles = { ...(covirt && rolesByName(calls, names)), ...Object.fromEntries(roles) }
  const { console, files } = all
  return {
    ...all,
    ...(console && !covirt && { console: consoleRoleOfLibvirt(calls) }),
    ...(files && { files: { ...files, ...fileStreams(calls) } }),
    ...(names.includes('nativeConfig') &&
      covirt && { nativeConfig: nativeConfigRole(calls, covirt.nativeFormats) }),
  }
}
