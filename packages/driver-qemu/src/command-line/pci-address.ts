import type { DeviceAddressXml } from '@covirt/xml'
import { unsupported } from './arguments.js'
import type { Machine } from './machine.js'

/** Where on the PCI buses a device is to be: QEMU's properties. Without an address, QEMU chooses. */
export interface Placement {
  readonly bus?: string
  readonly addr?: string
  readonly multifunction?: boolean
  readonly [name: string]: string | boolean | undefined
}

/** The place that the `<address>` of a device on PCI asks for. */
export function pciPlacement(address: DeviceAddressXml | undefined, machine: Machine): Placement {
  if (address === undefined || address.type === 'unassigned' || address.type === 'virtio-mmio') return {}
  if (address.type !== 'pci' || machine.kind === 'microvm')
    throw unsupported(`<address type='${address.type}'> for this device on the machine '${machine.name}'`)
  if (address.slot === undefined) return {}
  const bus = address.bus ?? 0
  const multifunction = address.multifunction
  return {
    bus: bus === 0 ? rootBus(machine) : `pci.${bus}`,
    addr: `0x${address.slot.toString(16)}.0x${(address.function ?? 0).toString(16)}`,
    ...(multifunction === undefined ? {} : { multifunction }),
  }
}

function rootBus(machine: Machine): string {
  return machine.kind === 'q35' ? 'pcie.0' : 'pci.0'
}
