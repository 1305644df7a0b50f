import type { DeviceXml, DiskXml, DomainDevice, DomainXml, InterfaceXml } from '@covirt/xml'
import { diskAlias } from '../command-line/aliases.js'
import { type GuestPlan, tapName } from '../command-line/guest-plan.js'
import type { Tap } from '../command-line/interfaces.js'
import { cannot } from './device-commands.js'

const prefixes = { interfaces: 'net', rngs: 'rng' } as const

/** The alias of a device of a guest that runs. */
export function aliasOf(device: DeviceXml): string {
  return 'alias' in device && typeof device.alias === 'string' ? device.alias : ''
}

/** A new device of a guest with what is made up for it: an alias that no other has, a place, a name on the host. */
export function completeDevice({ kind, device }: DomainDevice, plan: GuestPlan): DeviceXml {
  const placed = withPlace({ ...device, alias: freeAlias({ kind, device }, plan) } as DeviceXml, plan)
  if (kind !== 'interfaces') return placed
  const nic = placed as InterfaceXml
  if (nic.type !== 'bridge' || nic.target?.dev !== undefined) return nic
  const names = plan.taps.map(({ name }) => name)
  return { ...nic, target: { ...nic.target, dev: free((index) => tapName(plan.domain, index), names) } }
}

/** The document with the names of its links on the host, which otherwise go by the order of the interfaces. */
export function withLinkNames(document: DomainXml, taps: readonly Tap[]): DomainXml {
  const interfaces = document.devices.interfaces.map((nic) => {
    const tap = taps.find(({ alias }) => alias === nic.alias)
    return tap && nic.target?.dev === undefined ? { ...nic, target: { ...nic.target, dev: tap.name } } : nic
  })
  return { ...document, devices: { ...document.devices, interfaces } }
}

function freeAlias({ kind, device }: DomainDevice, { domain, machine }: GuestPlan): string {
  const given = aliasOf(device)
  if (given.startsWith('ua-')) return given
  if (kind === 'disks') return diskAlias(device as DiskXml, machine)
  if (kind !== 'interfaces' && kind !== 'rngs') throw cannot('A device of this kind')
  const taken = domain.devices[kind].map(aliasOf)
  return free((index) => `${prefixes[kind]}${index}`, taken)
}

/** On q35 a device is plugged into a port of its own, which has to be there from the start. */
function withPlace<D extends DeviceXml>(device: D, { domain, machine }: GuestPlan): D {
  if (machine.kind !== 'q35' || ('address' in device && device.address !== undefined)) return device
  const { controllers, ...others } = domain.devices
  const taken = Object.values(others)
    .flat()
    .flatMap((each) => busOf(each))
  const port = controllers.find(
    ({ type, model, index = 0 }) => type === 'pci' && model === 'pcie-root-port' && !taken.includes(index),
  )
  if (!port)
    throw cannot(
      'What is on the PCI bus of a q35 machine without a free port',
      "Add <controller type='pci' model='pcie-root-port'/> to the definition, one for each device, and start it anew",
    )
  return { ...device, address: { type: 'pci', domain: 0, bus: port.index, slot: 0, function: 0 } }
}

function busOf(device: unknown): number[] {
  if (typeof device !== 'object' || device === null || !('address' in device)) return []
  const { address } = device as DiskXml
  return address?.type === 'pci' && address.bus !== undefined ? [address.bus] : []
}

function free(name: (index: number) => string, taken: readonly string[]): string {
  let index = 0
  while (taken.includes(name(index))) index += 1
  return name(index)
}
