import type { NmiRole } from '@covirt/core'
import { procedures } from '@covirt/protocol'
import type { PeerCalls } from '../peer-calls.js'

/** The interrupt that a guest cannot mask. */
export function nmiRole(calls: PeerCalls): NmiRole {
  return {
    injectNmi: async (domain, options) => {
      await calls.call(procedures.domainInjectNmi, { domain, flags: 0 }, options)
    },
  }
}
