import type { DomainRef } from '@covirt/core'
import type { Handlers } from '../handler.js'
import { filterOf } from './domain-filter.js'

export const domainLookupHandlers = {
  domainLookupById: async ({ driver, options }, { id }) => ({
    domain: await driver.lookupDomain({ id }, options),
  }),
  domainLookupByName: async ({ driver, options }, { name }) => ({
    domain: await driver.lookupDomain({ name }, options),
  }),
  domainLookupByUuid: async ({ driver, options }, { uuid }) => ({
    domain: await driver.lookupDomain({ uuid }, options),
  }),
  connectListAllDomains: async ({ driver, options }, { needResults, flags }) => {
    const filter = filterOf(flags)
    const domains = filter ? await driver.listDomains(filter, options) : []
    return { domains: needResults ? domains : [], count: domains.length }
  },
  connectListDomains: async ({ driver, options }, { max }) => {
    const domains = await driver.listDomains({ active: true }, options)
    return {
      ids: domains
        .map(({ id }) => id)
        .filter((id) => id !== undefined)
        .slice(0, atLeastNone(max)),
    }
  },
  connectNumOfDomains: async ({ driver, options }) => ({
    count: (await driver.listDomains({ active: true }, options)).length,
  }),
  connectListDefinedDomains: async ({ driver, options }, { max }) => {
    const domains: readonly DomainRef[] = await driver.listDomains({ active: false }, options)
    return { names: domains.map(({ name }) => name).slice(0, atLeastNone(max)) }
  },
  connectNumOfDefinedDomains: async ({ driver, options }) => ({
    count: (await driver.listDomains({ active: false }, options)).length,
  }),
} satisfies Handlers

function atLeastNone(max: number): number {
  return Math.max(0, max)
}
