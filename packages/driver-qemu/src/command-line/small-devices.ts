import type { DomainXml, InputXml, MemballoonXml, PanicXml, RngXml, WatchdogXml } from '@covirt/xml'
import { absolute, device, json, unsupported } from './arguments.js'
import { usbId } from './controllers.js'
import { type Machine, needsPci, virtio } from './machine.js'
import { pciPlacement } from './pci-address.js'

/** `<input>`. Mouse and keyboard on ps2 are part of the board. */
export function inputArguments(input: InputXml, alias: string, machine: Machine): string[] {
  const { type, bus = type === 'tablet' ? 'usb' : 'ps2' } = input
  if (type !== 'tablet' && type !== 'mouse' && type !== 'keyboard')
    throw unsupported(`<input type='${type}'>`)
  if (bus === 'ps2' && type !== 'tablet' && machine.kind !== 'microvm') return []
  if (bus === 'virtio')
    return device(virtio(machine, type), alias, { ...pciPlacement(input.address, machine) })
  if (bus !== 'usb') throw unsupported(`<input type='${type}' bus='${bus}'> on the machine '${machine.name}'`)
  const driver = type === 'keyboard' ? 'usb-kbd' : `usb-${type}`
  const port = input.address?.type === 'usb' ? input.address.port : undefined
  return device(driver, alias, { bus: `${usbId}.0`, port })
}

/** Whether the guest's memory can be taken back while it runs. */
export function hasBalloon(balloon: MemballoonXml | undefined): boolean {
  return balloon !== undefined && balloon.model !== 'none'
}

/** `<memballoon>`. */
export function balloonArguments(
  balloon: MemballoonXml | undefined,
  alias: string,
  machine: Machine,
): string[] {
  if (!balloon || !hasBalloon(balloon)) return []
  if ((balloon.model ?? 'virtio') !== 'virtio') throw unsupported(`<memballoon model='${balloon.model}'>`)
  return device(virtio(machine, 'balloon'), alias, {
    'deflate-on-oom': balloon.autodeflate,
    'free-page-reporting': balloon.freePageReporting,
    'guest-stats-polling-interval': balloon.statsPeriodS || undefined,
    ...pciPlacement(balloon.address, machine),
  })
}

/** `<rng>`: where the guest's randomness comes from. */
export function rngArguments(rng: RngXml, alias: string, machine: Machine): string[] {
  if ((rng.model ?? 'virtio') !== 'virtio') throw unsupported(`<rng model='${rng.model}'>`)
  const model = rng.backend?.model ?? 'random'
  if (model !== 'random' && model !== 'builtin') throw unsupported(`<rng><backend model='${model}'>`)
  const filename = absolute(rng.backend?.path ?? '/dev/urandom', '<rng><backend>')
  const source = model === 'random' ? { 'qom-type': 'rng-random', filename } : { 'qom-type': 'rng-builtin' }
  return [
    ...json('-object', { ...source, id: `obj${alias}` }),
    ...device(virtio(machine, 'rng'), alias, {
      rng: `obj${alias}`,
      'max-bytes': rng.rate?.bytes,
      period: rng.rate?.bytes === undefined ? undefined : (rng.rate.periodMs ?? 1000),
      ...pciPlacement(rng.address, machine),
    }),
  ]
}

/** `<panic>`: how a guest's kernel tells that it has panicked. */
export function panicArguments(panic: PanicXml, alias: string, machine: Machine): string[] {
  const model = panic.model ?? 'isa'
  if (model === 'isa') {
    const ioport = panic.address?.type === 'isa' ? panic.address.iobase : undefined
    return device('pvpanic', alias, { ioport })
  }
  if (model !== 'pvpanic') throw unsupported(`<panic model='${model}'>`)
  needsPci(machine, `<panic model='${model}'>`)
  return device('pvpanic-pci', alias, { ...pciPlacement(panic.address, machine) })
}

/** `<watchdog>`, with what is to happen when it barks. */
export function watchdogArguments(watchdog: WatchdogXml, alias: string, machine: Machine): string[] {
  const { model = 'i6300esb', action = 'reset' } = watchdog
  if (model !== 'i6300esb' && model !== 'ib700') throw unsupported(`<watchdog model='${model}'>`)
  if (action === 'dump') throw unsupported("<watchdog action='dump'>")
  needsPci(machine, `<watchdog model='${model}'>`)
  const place = model === 'i6300esb' ? pciPlacement(watchdog.address, machine) : {}
  return [...device(model, alias, place), '-action', `watchdog=${action}`]
}

/** Devices that are said outside of `<devices>`. */
export function firmwareDevices({ genid, features }: DomainXml, machine: Machine): string[] {
  if (genid !== undefined) needsPci(machine, '<genid>')
  const vmcoreinfo = features?.vmcoreinfo && (features.vmcoreinfo.state ?? true)
  return [
    ...(genid === undefined ? [] : device('vmgenid', 'vmgenid0', { guid: genid })),
    ...(vmcoreinfo ? device('vmcoreinfo', 'vmcoreinfo0') : []),
  ]
}
