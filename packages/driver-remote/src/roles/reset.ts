import type { ResetRole } from '@covirt/core'
import { procedures } from '@covirt/protocol'
import type { PeerCalls } from '../peer-calls.js'

/** The peer's reset button. */
export function resetRole(calls: PeerCalls): ResetRole {
  return {
    resetDomain: async (domain, options) => {
      await calls.call(procedures.domainReset, { domain, flags: 0 }, options)
    },
  }
}
