import { requireRole, type SaveOptions, VirError } from '@covirt/core'
import type { Handlers } from '../handler.js'
import { checkFlags, hasFlag } from './flags.js'

/** virDomainSaveRestoreFlags: caches are the driver's business, and there are no variables of firmwares apart. */
const save = { bypassCache: 1, running: 2, paused: 4, resetNvram: 8 }
const saveKnown = save.bypassCache | save.running | save.paused | save.resetNvram
/** virDomainSaveImageXMLFlags. */
const xmlSecure = 1

export const domainSaveHandlers = {
  domainManagedSave: ({ driver, options }, { domain, flags }) =>
    requireRole(driver, 'savedState').managedSave(domain, { ...options, restoreAs: restoreAs(flags) }),
  domainManagedSaveRemove: ({ driver, options }, { domain, flags }) => {
    checkFlags(flags, 0, 'removing a saved state')
    return requireRole(driver, 'savedState').removeManagedSave(domain, options)
  },
  domainHasManagedSaveImage: async ({ driver, options }, { domain }) => {
    if (driver.savedState)
      return { result: (await driver.savedState.hasManagedSave(domain, options)) ? 1 : 0 }
    await driver.lookupDomain({ uuid: domain.uuid }, options)
    return { result: 0 }
  },
  domainSave: ({ driver, options }, { domain, path }) =>
    requireRole(driver, 'savedState').saveDomain(domain, path, options),
  domainSaveFlags: ({ driver, options }, { domain, path, xml, flags }) => {
    if (xml !== undefined)
      throw new VirError('ARGUMENT_UNSUPPORTED', 'A guest is saved with the definition that it has', {
        hint: 'Give another definition when it is restored',
      })
    const role = requireRole(driver, 'savedState')
    return role.saveDomain(domain, path, { ...options, restoreAs: restoreAs(flags) })
  },
  domainRestore: async ({ driver, options }, { path }) => {
    await requireRole(driver, 'savedState').restoreDomain(path, options)
  },
  domainRestoreFlags: async ({ driver, options }, { path, xml, flags }) => {
    const role = requireRole(driver, 'savedState')
    await role.restoreDomain(path, { ...options, xml, restoreAs: restoreAs(flags) })
  },
  domainSaveImageGetXmlDesc: async (call, { file, flags }) => {
    checkFlags(flags, xmlSecure, "a saved guest's document")
    const secure = hasFlag(flags, xmlSecure)
    const { driver, options } = call
    return { xml: await requireRole(driver, 'savedState').getSavedXml(file, { ...options, secure }) }
  },
} satisfies Handlers

function restoreAs(flags: number): SaveOptions['restoreAs'] {
  checkFlags(flags, saveKnown, 'saving or restoring a guest')
  if (hasFlag(flags, save.running)) return 'running'
  return hasFlag(flags, save.paused) ? 'paused' : undefined
}
