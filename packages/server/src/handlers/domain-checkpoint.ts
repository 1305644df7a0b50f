import { VirError } from '@covirt/core'
import type { Handlers } from '../handler.js'

export const domainCheckpointHandlers = {
  domainListAllCheckpoints: async ({ driver, options }, { domain }) => {
    await driver.lookupDomain({ uuid: domain.uuid }, options)
    return { checkpoints: [], count: 0 }
  },
  domainCheckpointLookupByName: async ({ driver, options }, { domain, name }) => {
    await driver.lookupDomain({ uuid: domain.uuid }, options)
    throw new VirError('NO_DOMAIN_CHECKPOINT', `Domain '${domain.name}' has no checkpoint named '${name}'`)
  },
} satisfies Handlers
