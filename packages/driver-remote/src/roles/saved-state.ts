import { type SavedStateRole, type SaveOptions, VirError } from '@covirt/core'
import { procedures } from '@covirt/protocol'
import type { PeerCalls } from '../peer-calls.js'

/** virDomainSaveRestoreFlags. */
const flagOf = { running: 2, paused: 4 } as const
const secureFlag = 1

/** Guests that sleep on the peer's disk. */
export function savedStateRole(calls: PeerCalls): SavedStateRole {
  const role: SavedStateRole = {
    managedSave: async (domain, { signal, restoreAs } = {}) => {
      await calls.call(procedures.domainManagedSave, { domain, flags: flags({ restoreAs }) }, { signal })
    },
    hasManagedSave: async (domain, options) => {
      const { result } = await calls.call(procedures.domainHasManagedSaveImage, { domain, flags: 0 }, options)
      return result !== 0
    },
    removeManagedSave: async (domain, options) => {
      try {
        await calls.call(procedures.domainManagedSaveRemove, { domain, flags: 0 }, options)
      } catch (error) {
        // libvirt's daemons refuse to remove what is not there.
        if (await role.hasManagedSave(domain, options)) throw error
      }
    },
    saveDomain: async (domain, path, { signal, restoreAs } = {}) => {
      checkPath(path)
      await calls.call(procedures.domainSaveFlags, { domain, path, flags: flags({ restoreAs }) }, { signal })
    },
    // The protocol does not say which domain it has restored: the file does.
    restoreDomain: async (path, { signal, restoreAs, xml } = {}) => {
      const uuid = uuidIn(await role.getSavedXml(path, { signal }))
      const args = { path, xml, flags: flags({ restoreAs }) }
      await calls.call(procedures.domainRestoreFlags, args, { signal })
      return (await calls.call(procedures.domainLookupByUuid, { uuid })).domain
    },
    getSavedXml: async (file, { signal, secure } = {}) => {
      checkPath(file)
      const args = { file, flags: secure ? secureFlag : 0 }
      return (await calls.call(procedures.domainSaveImageGetXmlDesc, args, { signal })).xml
    },
  }
  return role
}

function flags({ restoreAs }: Pick<SaveOptions, 'restoreAs'>): number {
  return restoreAs === undefined ? 0 : flagOf[restoreAs]
}

/** A path on the peer's host means the same whoever says it. */
function checkPath(path: string): void {
  if (!path.startsWith('/')) throw new VirError('INVALID_ARG', `'${path}' is not an absolute path`)
}

function uuidIn(xml: string): string {
  const uuid = /<uuid>\s*([0-9a-f-]{36})\s*<\/uuid>/.exec(xml)?.[1]
  if (uuid !== undefined) return uuid
  throw new VirError('OPERATION_FAILED', 'The file with the saved guest does not say whose it is')
}
