import type { DriverRoles, RoleName } from '@covirt/core'
import type { Access } from './procedure.js'

type RoleMethods = {
  readonly [R in RoleName]?: { readonly [M in keyof DriverRoles[R]]?: Access }
}

/**
 * The methods of roles that travel as `covirtQueryRole` (`read`) and `covirtCallRole` (`write`): those that libvirt's
 * protocol has no procedure for, and whose arguments and results are plain values. A role's other methods have
 * procedures of their own. What asks inside of a guest, or may show secrets, is no mere question.
 */
export const roleMethods = {
  processes: { listProcesses: 'read' },
  addresses: { listInterfaceAddresses: 'write' },
  snapshots: {
    createSnapshot: 'write',
    listSnapshots: 'read',
    getSnapshotXml: 'write',
    revertToSnapshot: 'write',
    deleteSnapshot: 'write',
  },
  savedState: {
    managedSave: 'write',
    hasManagedSave: 'read',
    removeManagedSave: 'write',
    saveDomain: 'write',
  },
  statistics: { getStatistics: 'read' },
  files: { statFile: 'write', listDirectory: 'write', makeDirectory: 'write', removeFile: 'write' },
} as const satisfies RoleMethods

/** Whether, and how, a method of a role may be called over the wire. */
export function roleAccess(role: string, method: string): Access | undefined {
  const methods = own(roleMethods, role)
  return own(methods, method) as Access | undefined
}

/** Names come from the other end: nothing is looked up that we have not put there. */
function own(table: unknown, key: string): unknown {
  return typeof table === 'object' && table !== null && Object.hasOwn(table, key)
    ? (table as Readonly<Record<string, unknown>>)[key]
    : undefined
}
