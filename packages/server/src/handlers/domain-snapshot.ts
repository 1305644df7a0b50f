import { type DomainRef, VirError } from '@covirt/core'
import type { Call, Handlers } from '../handler.js'

export const domainSnapshotHandlers = {
  domainSnapshotNum: async (call, { domain }) => {
    await requireDomain(call, domain)
    return { count: 0 }
  },
  domainSnapshotListNames: async (call, { domain }) => {
    await requireDomain(call, domain)
    return { names: [] }
  },
  domainListAllSnapshots: async (call, { domain }) => {
    await requireDomain(call, domain)
    return { snapshots: [], count: 0 }
  },
  domainHasCurrentSnapshot: async (call, { domain }) => {
    await requireDomain(call, domain)
    return { result: 0 }
  },
  domainSnapshotLookupByName: async (call, { domain, name }) => {
    await requireDomain(call, domain)
    throw noSnapshot(`Domain '${domain.name}' has no snapshot named '${name}'`)
  },
  domainSnapshotCurrent: async (call, { domain }) => {
    await requireDomain(call, domain)
    throw noSnapshot(`Domain '${domain.name}' has no current snapshot`)
  },
} satisfies Handlers

async function requireDomain({ driver, options }: Call, { uuid }: DomainRef): Promise<void> {
  await driver.lookupDomain({ uuid }, options)
}

function noSnapshot(message: string): VirError {
  return new VirError('NO_DOMAIN_SNAPSHOT', message, { domain: 'DOMAIN_SNAPSHOT' })
}
