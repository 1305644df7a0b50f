import type { ControllerXml, DomainXml } from '@covirt/xml'
import { isCompanion } from '../number-controllers.js'
import { device, unsupported } from './arguments.js'
import type { Machine } from './machine.js'
import { needsPci, virtio } from './machine.js'
import { pciPlacement } from './pci-address.js'

/** Ids of the controllers that devices hang on where the definition names none. */
export const usbId = 'usb'
export const virtioSerialId = 'virtio-serial0'
export const sataId = 'sata0'

const usbModels: Readonly<Record<string, string>> = {
  'qemu-xhci': 'qemu-xhci',
  'nec-xhci': 'nec-usb-xhci',
  'piix3-uhci': 'piix3-usb-uhci',
  'piix4-uhci': 'piix4-usb-uhci',
  ehci: 'usb-ehci',
  'ich9-ehci1': 'ich9-usb-ehci1',
}

/** The slow halves of Intel's USB 2 controller, with the first of the ports that each serves. */
const usbCompanions: Readonly<Record<string, { readonly driver: string; readonly firstPort: number }>> = {
  'ich9-uhci1': { driver: 'ich9-usb-uhci1', firstPort: 0 },
  'ich9-uhci2': { driver: 'ich9-usb-uhci2', firstPort: 2 },
  'ich9-uhci3': { driver: 'ich9-usb-uhci3', firstPort: 4 },
}

/** The controllers that the definition has, and those that its devices need without saying so. */
export function controllerArguments(domain: DomainXml, machine: Machine): string[] {
  const given = domain.devices.controllers
  const has = (type: string) => given.some((controller) => controller.type === type)
  const needs = needed(domain, machine)
  return [
    ...given.flatMap((controller) => controllerDevice(controller, machine)),
    ...(needs.usb && !has('usb') ? usb(machine, {}) : []),
    ...(needs.virtioSerial && !has('virtio-serial') ? device(virtio(machine, 'serial'), virtioSerialId) : []),
    ...(needs.sata && !has('sata') ? device('ich9-ahci', sataId) : []),
  ]
}

function needed({ devices }: DomainXml, machine: Machine) {
  const isVirtio = (target: string | undefined) => target === 'virtio'
  return {
    usb:
      devices.inputs.some(({ bus, type }) => bus === 'usb' || (bus === undefined && type === 'tablet')) ??
      false,
    virtioSerial: [...(devices.channels ?? []), ...(devices.consoles ?? [])].some(({ target }) =>
      isVirtio(target?.type),
    ),
    sata: machine.kind === 'pc' && (devices.disks.some(({ target }) => target.bus === 'sata') ?? false),
  }
}

function controllerDevice(controller: ControllerXml, machine: Machine): string[] {
  const { type, index = 0 } = controller
  const refused = () =>
    unsupported(`<controller type='${type}' index='${index}' model='${controller.model ?? ''}'>`)
  const place = () => pciPlacement(controller.address, machine)
  switch (type) {
    case 'pci':
      return pciController(controller, machine)
    case 'usb':
      if (index !== 0) throw refused()
      if (isCompanion(controller)) return usbCompanion(controller, machine)
      return controller.model === 'none' ? [] : usb(machine, place(), controller.model)
    case 'virtio-serial':
      if (index !== 0) throw refused()
      return device(virtio(machine, 'serial'), virtioSerialId, {
        max_ports: controller.ports,
        vectors: controller.vectors,
        ...place(),
      })
    case 'sata':
      if (index !== 0 || machine.kind === 'microvm') throw refused()
      return machine.kind === 'q35' ? [] : device('ich9-ahci', sataId, place())
    case 'ide':
      // Part of the board.
      if (index !== 0 || machine.kind !== 'pc') throw refused()
      return []
    default:
      throw refused()
  }
}

function usb(machine: Machine, place: ReturnType<typeof pciPlacement>, model?: string): string[] {
  needsPci(machine, "<controller type='usb'>")
  const name = model ?? (machine.kind === 'pc' ? 'piix3-uhci' : 'qemu-xhci')
  const driver = usbModels[name]
  if (!driver)
    throw unsupported(
      `<controller type='usb' model='${name}'>`,
      `Known are ${Object.keys(usbModels).join(', ')}`,
    )
  return device(driver, usbId, place)
}

/** Its master, which QEMU must know first, has to come before it in the definition. */
function usbCompanion({ model = '', master, address }: ControllerXml, machine: Machine): string[] {
  const companion = usbCompanions[model]
  if (!companion) throw unsupported(`<controller type='usb' model='${model}'>`)
  return device(companion.driver, `${usbId}-${model}`, {
    masterbus: `${usbId}.0`,
    firstport: master ?? companion.firstPort,
    ...pciPlacement(address, machine),
  })
}

function pciController({ model, index = 0, target, address }: ControllerXml, machine: Machine): string[] {
  const root = { pc: 'pci-root', q35: 'pcie-root', microvm: undefined }[machine.kind]
  if (model === root && index === 0) return []
  if (model !== 'pcie-root-port' || machine.kind !== 'q35' || index === 0)
    throw unsupported(
      `<controller type='pci' index='${index}' model='${model ?? ''}'> on the machine '${machine.name}'`,
    )
  return device('pcie-root-port', `pci.${index}`, {
    chassis: target?.chassis ?? index,
    port: target?.port === undefined ? undefined : Number(target.port),
    ...pciPlacement(address, machine),
  })
}
