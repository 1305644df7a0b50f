import { type ConsoleRole, VirError } from '@covirt/core'
import { procedures } from '@covirt/protocol'
import type { PeerCalls } from '../peer-calls.js'

const forceFlag = 1

/** The guest's console, as a stream over the connection. */
export function consoleRole(calls: PeerCalls): ConsoleRole {
  return {
    async openConsole(domain, { device, force, shared, signal } = {}) {
      if (shared) {
        throw new VirError('ARGUMENT_UNSUPPORTED', 'A console cannot be shared over the wire', {
          domain: 'REMOTE',
          hint: 'Several may look at it where the driver is open itself',
        })
      }
      const args = { domain, device, flags: force ? forceFlag : 0 }
      return calls.openStream(procedures.domainOpenConsole, args, { signal })
    },
  }
}
