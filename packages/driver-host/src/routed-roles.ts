import {
  type CallOptions,
  type DomainRef,
  type Driver,
  type DriverRoles,
  type FilesRole,
  type NativeConfigRole,
  type RoleName,
  requireRole,
  type SavedStateRole,
  throwIfAborted,
  VirError,
} from '@covirt/core'
import type { Routing } from './routing.js'

/** Hands a document that may make a domain to the driver of its type; `action` is told which that is. */
export type Enter = (
  verb: string,
  xml: string,
  options: CallOptions | undefined,
  action: (driver: Driver) => Promise<DomainRef>,
) => Promise<DomainRef>

/**
 * The roles that any of `drivers` has, each passed on to the driver of the domain concerned: `NO_SUPPORT` where
 * that one does not have it. To the question what there is of a kind that it cannot make, the answer is: nothing. Clients
 * ask it of every domain of a connection that has the role.
 */
export function routedRoles(
  drivers: readonly Driver[],
  routing: Routing,
  enter: Enter,
): Partial<DriverRoles> {
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
    files: routedFiles(routing),
    exec: {
      exec: (domain, argv, options) =>
        routing.call(domain, async (driver) => requireRole(driver, 'exec').exec(domain, argv, options)),
    },
    nativeConfig: nativeConfigOf(drivers),
    snapshots: {
      createSnapshot: (domain, xml, options) =>
        routing.call(domain, async (driver) =>
          requireRole(driver, 'snapshots').createSnapshot(domain, xml, options),
        ),
      listSnapshots: (domain, options) =>
        routing.call(domain, async (driver) => driver.snapshots?.listSnapshots(domain, options) ?? []),
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
    savedState: savedState(drivers, routing, enter),
    graphics: {
      screenshot: (domain, options) =>
        routing.call(domain, async (driver) => requireRole(driver, 'graphics').screenshot(domain, options)),
      openGraphics: (domain, options) =>
        routing.call(domain, async (driver) => requireRole(driver, 'graphics').openGraphics(domain, options)),
    },
    keyboard: {
      sendKey: (domain, keyCodes, options) =>
        routing.call(domain, async (driver) =>
          requireRole(driver, 'keyboard').sendKey(domain, keyCodes, options),
        ),
    },
    nmi: {
      injectNmi: (domain, options) =>
        routing.call(domain, async (driver) => requireRole(driver, 'nmi').injectNmi(domain, options)),
    },
    guestTime: {
      getTime: (domain, options) =>
        routing.call(domain, async (driver) => requireRole(driver, 'guestTime').getTime(domain, options)),
      setTime: (domain, timeNs, options) =>
        routing.call(domain, async (driver) =>
          requireRole(driver, 'guestTime').setTime(domain, timeNs, options),
        ),
    },
    statistics: {
      getStatistics: (domain, options) =>
        routing.call(domain, async (driver) =>
          requireRole(driver, 'statistics').getStatistics(domain, options),
        ),
    },
    devices: routedMethods(routing, 'devices', [
      'attachDevice',
      'detachDevice',
      'detachDeviceAlias',
      'updateDevice',
    ]),
    tuning: routedMethods(routing, 'tuning', [
      'setMemory',
      'setMaxMemory',
      'setVcpus',
      'getVcpus',
      'getSchedulerParameters',
      'setSchedulerParameters',
      'getMemoryParameters',
      'setMemoryParameters',
      'getBlkioParameters',
      'setBlkioParameters',
    ]),
  }
  const present = Object.entries(all).filter(([role]) => drivers.some((driver) => driver[role as RoleName]))
  return Object.fromEntries(present)
}

/** A role whose methods all are about one domain. */
function routedMethods<R extends 'devices' | 'tuning'>(
  routing: Routing,
  role: R,
  methods: readonly (keyof DriverRoles[R] & string)[],
): DriverRoles[R] {
  type Method = (domain: DomainRef, ...rest: readonly unknown[]) => Promise<unknown>
  const routed = methods.map((method): [string, Method] => [
    method,
    (domain, ...rest) =>
      routing.call(domain, async (driver) => (requireRole(driver, role)[method] as Method)(domain, ...rest)),
  ])
  return Object.fromEntries(routed) as unknown as DriverRoles[R]
}

function savedState(drivers: readonly Driver[], routing: Routing, enter: Enter): SavedStateRole {
  const roleOf = (driver: Driver) => requireRole(driver, 'savedState')
  const getSavedXml: SavedStateRole['getSavedXml'] = async (path, options) => {
    const readers = drivers.filter((driver) => driver.savedState)
    const answers = await Promise.allSettled(
      readers.map((driver) => roleOf(driver).getSavedXml(path, options)),
    )
    for (const answer of answers) if (answer.status === 'fulfilled') return answer.value
    throw answers.find((answer) => answer.status === 'rejected')?.reason
  }
  return {
    managedSave: (domain, options) =>
      routing.call(domain, async (driver) => roleOf(driver).managedSave(domain, options)),
    hasManagedSave: (domain, options) =>
      routing.call(domain, async (driver) => driver.savedState?.hasManagedSave(domain, options) ?? false),
    removeManagedSave: (domain, options) =>
      routing.call(domain, async (driver) => roleOf(driver).removeManagedSave(domain, options)),
    saveDomain: (domain, path, options) =>
      routing.call(domain, async (driver) => roleOf(driver).saveDomain(domain, path, options)),
    restoreDomain: async (path, options) =>
      enter('restore', await getSavedXml(path, { signal: options?.signal }), options, async (driver) =>
        roleOf(driver).restoreDomain(path, options),
      ),
    getSavedXml,
  }
}

/** No domain is concerned: the format tells whose configuration it is. */
function nativeConfigOf(drivers: readonly Driver[]): NativeConfigRole {
  const members = drivers.flatMap(({ nativeConfig }) => nativeConfig ?? [])
  const nativeFormats = members.flatMap((member) => member.nativeFormats)
  const memberFor = (format: string, options: CallOptions | undefined) => {
    throwIfAborted(options?.signal)
    const member = members.find((each) => each.nativeFormats.includes(format))
    if (member) return member
    throw new VirError('INVALID_ARG', `There is no native format '${format}'`, {
      hint: `There are: ${nativeFormats.join(', ')}`,
    })
  }
  return {
    nativeFormats,
    domainXmlFromNative: async (format, config, options) =>
      memberFor(format, options).domainXmlFromNative(format, config, options),
    domainXmlToNative: async (format, xml, options) =>
      memberFor(format, options).domainXmlToNative(format, xml, options),
  }
}

function routedFiles(routing: Routing): FilesRole {
  const files = (driver: Driver) => requireRole(driver, 'files')
  return {
    readFile: (domain, ...rest) =>
      routing.call(domain, async (driver) => files(driver).readFile(domain, ...rest)),
    writeFile: (domain, ...rest) =>
      routing.call(domain, async (driver) => files(driver).writeFile(domain, ...rest)),
    statFile: (domain, ...rest) =>
      routing.call(domain, async (driver) => files(driver).statFile(domain, ...rest)),
    listDirectory: (domain, ...rest) =>
      routing.call(domain, async (driver) => files(driver).listDirectory(domain, ...rest)),
    makeDirectory: (domain, ...rest) =>
      routing.call(domain, async (driver) => files(driver).makeDirectory(domain, ...rest)),
    removeFile: (domain, ...rest) =>
      routing.call(domain, async (driver) => files(driver).removeFile(domain, ...rest)),
  }
}
