import { type Driver, type DriverRoles, type RoleName, requireRole } from '@covirt/core'
import type { Routing } from './routing.js'

/**
 * The roles that any of `drivers` has, each passed on to the driver of the domain concerned: `NO_SUPPORT` where
 * that one does not have it.
 */
export function routedRoles(drivers: readonly Driver[], routing: Routing): Partial<DriverRoles> {
  const all: DriverRoles = {
    console: {
      openConsole: (domain, options) =>
        routing.call(domain, async (driver) => requireRole(driver, 'console').openConsole(domain, options)),
    },
    reset: {
      resetDomain: (domain, options) =>
        routing.call(domain, async (driver) => requireRole(driver, 'reset').resetDomain(domain, options)),
    },
    guestAgent: {
      agentCommand: (domain, command, options) =>
        routing.call(domain, async (driver) =>
          requireRole(driver, 'guestAgent').agentCommand(domain, command, options),
        ),
    },
    processes: {
      listProcesses: (domain, options) =>
        routing.call(domain, async (driver) =>
          requireRole(driver, 'processes').listProcesses(domain, options),
        ),
    },
    addresses: {
      listInterfaceAddresses: (domain, options) =>
        routing.call(domain, async (driver) =>
          requireRole(driver, 'addresses').listInterfaceAddresses(domain, options),
        ),
    },
    exec: {
      exec: (domain, argv, options) =>
        routing.call(domain, async (driver) => requireRole(driver, 'exec').exec(domain, argv, options)),
    },
    snapshots: {
      createSnapshot: (domain, xml, options) =>
        routing.call(domain, async (driver) =>
          requireRole(driver, 'snapshots').createSnapshot(domain, xml, options),
        ),
      listSnapshots: (domain, options) =>
        routing.call(domain, async (driver) =>
          requireRole(driver, 'snapshots').listSnapshots(domain, options),
        ),
      getSnapshotXml: (domain, snapshot, options) =>
        routing.call(domain, async (driver) =>
          requireRole(driver, 'snapshots').getSnapshotXml(domain, snapshot, options),
        ),
      revertToSnapshot: (domain, snapshot, options) =>
        routing.call(domain, async (driver) =>
          requireRole(driver, 'snapshots').revertToSnapshot(domain, snapshot, options),
        ),
      deleteSnapshot: (domain, snapshot, options) =>
        routing.call(domain, async (driver) =>
          requireRole(driver, 'snapshots').deleteSnapshot(domain, snapshot, options),
        ),
    },
  }
  const present = Object.entries(all).filter(([role]) => drivers.some((driver) => driver[role as RoleName]))
  return Object.fromEntries(present)
}
