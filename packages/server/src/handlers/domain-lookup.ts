import { type DomainRef, isVirError } from '@covirt/core'
import type { Call, Handlers } from '../handler.js'
import { filterOf, needsLook, passes } from './domain-filter.js'

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
  connectListAllDomains: async (call, { needResults, flags }) => {
    const domains = await listDomains(call, flags)
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

async function listDomains(call: Call, flags: number): Promise<readonly DomainRef[]> {
  const domains = await call.driver.listDomains(filterOf(flags), call.options)
  if (!needsLook(flags)) return domains
  const passed = await Promise.all(
    domains.map((domain) =>
      passes(call, domain, flags).catch((error) => {
        if (isVirError(error, 'NO_DOMAIN')) return false
        throw error
      }),
    ),
  )
  return domains.filter((_, index) => passed[index])
}

function atLeastNone(max: number): number {
  return Math.max(0, max)
}
