import type { ChangeOptions, DevicesRole } from '@covirt/core'
import { impact, procedures } from '@covirt/protocol'
import { checkDocument, documentRefusal } from '../document-refusal.js'
import type { PeerCalls } from '../peer-calls.js'

/** The flags of a call that changes a domain. */
export function impactOf({ live, config }: ChangeOptions): number {
  return (live ? impact.live : 0) | (config ? impact.config : 0)
}

/** The devices of a guest, of its definition, or of both. */
export function devicesRole(calls: PeerCalls): DevicesRole {
  return {
    attachDevice: async (domain, xml, { signal, ...options } = {}) => {
      const args = { domain, xml: checkDocument(xml), flags: impactOf(options) }
      await documentRefusal(calls.call(procedures.domainAttachDeviceFlags, args, { signal }))
    },
    detachDevice: async (domain, xml, { signal, ...options } = {}) => {
      const args = { domain, xml: checkDocument(xml), flags: impactOf(options) }
      await documentRefusal(calls.call(procedures.domainDetachDeviceFlags, args, { signal }))
    },
    detachDeviceAlias: async (domain, alias, { signal, ...options } = {}) => {
      const args = { domain, alias, flags: impactOf(options) }
      await calls.call(procedures.domainDetachDeviceAlias, args, { signal })
    },
    updateDevice: async (domain, xml, { signal, ...options } = {}) => {
      const args = { domain, xml: checkDocument(xml), flags: impactOf(options) }
      await documentRefusal(calls.call(procedures.domainUpdateDeviceFlags, args, { signal }))
    },
  }
}
