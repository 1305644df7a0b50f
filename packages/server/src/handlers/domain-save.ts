import type { Handlers } from '../handler.js'

export const domainSaveHandlers = {
  domainHasManagedSaveImage: async ({ driver, options }, { domain }) => {
    await driver.lookupDomain({ uuid: domain.uuid }, options)
    return { result: 0 }
  },
} satisfies Handlers
