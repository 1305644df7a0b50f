import { type ConsoleRole, VirError } from '@covirt/core'
import { procedures } from '@covirt/protocol'
import type { PeerCalls } from '../peer-calls.js'
import { RemotePipe } from '../remote-pipe.js'

const forceFlag = 1

/** The guest's console at a covirt server. */
export function consoleRole(calls: PeerCalls): ConsoleRole {
  return {
    async openConsole(domain, { device, force = false, shared = false, historyBytes = 0, signal } = {}) {
      const args = { domain, device, force, shared, historyBytes }
      const { stream, result } = await calls.openPackets(procedures.covirtOpenConsole, args, { signal })
      const pipe = new RemotePipe(stream)
      return result.resizes ? pipe : Object.assign(pipe, { resize: undefined })
    },
  }
}

/** The guest's console at one of libvirt's daemons. */
export function consoleRoleOfLibvirt(calls: PeerCalls): ConsoleRole {
  return {
    async openConsole(domain, { device, force, shared, signal } = {}) {
      if (shared) {
        throw new VirError('ARGUMENT_UNSUPPORTED', 'A console of libvirt cannot be shared', {
          domain: 'REMOTE',
          hint: 'Several may look at it where a covirt server runs the guest',
        })
      }
      const args = { domain, device, flags: force ? forceFlag : 0 }
      return calls.openStream(procedures.domainOpenConsole, args, { signal })
    },
  }
}
