import type { ConsoleRole } from '@covirt/core'
import { procedures } from '@covirt/protocol'
import type { PeerCalls } from '../peer-calls.js'

const forceFlag = 1

/** The guest's console, as a stream over the connection. */
export function consoleRole(calls: PeerCalls): ConsoleRole {
  return {
    openConsole: (domain, { device, force, signal } = {}) =>
      calls.openStream(
        procedures.domainOpenConsole,
        { domain, device, flags: force ? forceFlag : 0 },
        { signal },
      ),
  }
}
