import type { CallOptions } from '@covirt/core'
import type { DeviceAddressXml, DomainXml } from '@covirt/xml'
import type { QmpChannel } from '../qmp/qmp-channel.js'
import { isObject } from '../qmp/qmp-message.js'

interface Placed {
  readonly alias?: string | undefined
  readonly address?: DeviceAddressXml | undefined
}

/**
 * The document with the places that its devices have on the first PCI bus. A machine that is made from it has the same
 * device in each place, although those that were there when the first one was made had others.
 */
export async function withPciPlaces(
  document: DomainXml,
  monitor: QmpChannel,
  options: CallOptions,
): Promise<DomainXml> {
  const slots = slotsOf(await monitor.execute('query-pci', {}, options))
  const placed = <T extends Placed>(device: T): T => {
    const slot = slots.get(device.alias ?? '')
    if (slot === undefined || device.address !== undefined) return device
    return { ...device, address: { type: 'pci', domain: 0, bus: 0, slot, function: 0 } }
  }
  const { devices } = document
  return {
    ...document,
    devices: {
      ...devices,
      disks: devices.disks.map(placed),
      interfaces: devices.interfaces.map(placed),
      videos: devices.videos.map(placed),
      watchdogs: devices.watchdogs.map(placed),
      rngs: devices.rngs.map(placed),
      panics: devices.panics.map(placed),
      ...(devices.memballoon && { memballoon: placed(devices.memballoon) }),
    },
  }
}

/** Of the devices that have ids (QEMU: qapi/pci.json, `PciInfo`). */
function slotsOf(answer: unknown): ReadonlyMap<string, number> {
  const bus = Array.isArray(answer) ? answer.filter(isObject).find((each) => each.bus === 0) : undefined
  const devices = Array.isArray(bus?.devices) ? bus.devices.filter(isObject) : []
  return new Map(devices.map((device) => [String(device.qdev_id), Number(device.slot)]))
}
