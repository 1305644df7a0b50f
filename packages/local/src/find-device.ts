import { VirError } from '@covirt/core'
import {
  type ControllerXml,
  type DeviceXml,
  type DiskXml,
  type DomainDevice,
  type DomainXml,
  deviceElementName,
  deviceKinds,
  devicesOf,
  type FilesystemXml,
  type HostdevXml,
  type InterfaceXml,
  plain,
  says,
} from '@covirt/xml'

/** The device of `document` that `wanted` means, as the role `devices` tells; `DEVICE_MISSING` where there is none. */
export function findDevice(document: DomainXml, { kind, device: wanted }: DomainDevice): DomainDevice {
  const found = devicesOf(document, kind).filter((device) => isMeant({ kind, device }, wanted))
  const [device] = found
  if (device === undefined) throw missing(document, `no <${deviceElementName(kind)}> like this`)
  if (kind === 'interfaces' && found.length > 1)
    throw new VirError('INVALID_ARG', `Domain '${document.name}' has ${found.length} interfaces like this`, {
      domain: 'DOM',
      hint: "Tell the one that is meant by its <mac address='…'/> or <target dev='…'/>",
    })
  return { kind, device }
}

/** The device of this alias; `DEVICE_MISSING` where there is none. */
export function findAlias(document: DomainXml, alias: string): DomainDevice {
  for (const kind of deviceKinds)
    for (const device of devicesOf(document, kind)) if (aliasOf(device) === alias) return { kind, device }
  throw missing(document, `no device with the alias '${alias}'`)
}

/** Refuses a device that could not be told from one that is there: `OPERATION_INVALID`. */
export function requireDistinct(document: DomainXml, { kind, device }: DomainDevice): void {
  const taken = devicesOf(document, kind).some((other) =>
    identities({ kind, device: other }).some(
      (identity, index) => identity !== undefined && identity === identities({ kind, device })[index],
    ),
  )
  if (!taken) return
  throw new VirError(
    'OPERATION_INVALID',
    `Domain '${document.name}' has a <${deviceElementName(kind)}> like this already`,
    { domain: 'DOM', hint: 'Detach that one first, or give this one another place' },
  )
}

/** The alias of a device that has one. */
export function aliasOf(device: DeviceXml): string | undefined {
  return 'alias' in device && typeof device.alias === 'string' ? device.alias : undefined
}

function isMeant({ kind, device }: DomainDevice, wanted: DeviceXml): boolean {
  const [alias, wantedAlias] = [aliasOf(device), aliasOf(wanted)]
  if (alias !== undefined && wantedAlias !== undefined && alias !== wantedAlias) return false
  const told = identities({ kind, device: wanted })
  if (told.every((identity) => identity === undefined))
    return says(plain(device), { ...plain(wanted), alias: undefined })
  const own = identities({ kind, device })
  const pairs = told.map((identity, index) => [identity, own[index]] as const)
  // What a guest has been given on the way is in its document alone.
  const known = pairs.filter(([one, other]) => one !== undefined && other !== undefined)
  return known.length > 0 && known.every(([one, other]) => one === other)
}

/** By what a device is told from others of its kind; what is not said of it is `undefined`. */
function identities({ kind, device }: DomainDevice): readonly (string | undefined)[] {
  switch (kind) {
    case 'disks':
      return [(device as DiskXml).target.dev]
    case 'filesystems':
      return [(device as FilesystemXml).target]
    case 'interfaces': {
      const { mac, target, guest } = device as InterfaceXml
      return [mac?.address, target?.dev, guest?.dev]
    }
    case 'hostdevs': {
      const { type, ...rest } = device as HostdevXml
      return ['source' in rest ? `${type} ${JSON.stringify(plain(rest.source))}` : undefined]
    }
    case 'controllers': {
      const { type, index } = device as ControllerXml
      return [index === undefined ? undefined : `${type} ${index}`]
    }
    default:
      return []
  }
}

function missing({ name }: DomainXml, what: string): VirError {
  return new VirError('DEVICE_MISSING', `Domain '${name}' has ${what}`, {
    domain: 'DOM',
    hint: 'Its document (dumpxml) tells what it has; that of its guest may differ from its definition',
  })
}
