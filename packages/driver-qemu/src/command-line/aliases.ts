import type { DevicesXml, DomainXml } from '@covirt/xml'
import { malformed } from './arguments.js'
import { busOf, targetIndex } from './disks.js'
import type { Machine } from './machine.js'

interface Aliased {
  readonly alias?: string | undefined
}

/**
 * Gives each device the name by which QEMU and users know it, in libvirt's manner (`serial0`, `net1`,
 * `virtio-disk0`). Names that the definition chose itself, which begin with `ua-`, stay; others are made anew,
 * so that the same definition always gets the same.
 */
export function withAliases(domain: DomainXml, machine: Machine): DomainXml {
  const { devices } = domain
  const serials = numbered(devices.serials, 'serial')
  const named: DevicesXml = {
    ...devices,
    disks: devices.disks.map((disk) => named1(disk, diskAlias(busOf(disk, machine), disk.target.dev))),
    filesystems: numbered(devices.filesystems, 'fs'),
    interfaces: numbered(devices.interfaces, 'net'),
    serials,
    consoles: devices.consoles.map((console, index) => consoleAlias(console, index, serials)),
    channels: numbered(devices.channels, 'channel'),
    inputs: numbered(devices.inputs, 'input'),
    videos: numbered(devices.videos, 'video'),
    rngs: numbered(devices.rngs, 'rng'),
    panics: numbered(devices.panics, 'panic'),
    watchdogs: numbered(devices.watchdogs, 'watchdog'),
    ...(devices.memballoon && { memballoon: named1(devices.memballoon, 'balloon0') }),
  }
  checkUnique(named)
  return { ...domain, devices: named }
}

function named1<T extends Aliased>(device: T, alias: string): T {
  if (device.alias === alias || device.alias?.startsWith('ua-')) return device
  return { ...device, alias }
}

function numbered<T extends Aliased>(devices: readonly T[], prefix: string): readonly T[] {
  return devices.map((device, index) => named1(device, `${prefix}${index}`))
}

function diskAlias(bus: string, dev: string): string {
  const index = targetIndex(dev)
  if (bus === 'ide') return `ide0-${Math.floor(index / 2)}-${index % 2}`
  return bus === 'virtio' ? `virtio-disk${index}` : `${bus}0-0-${index}`
}

type ConsoleXml = DevicesXml['consoles'][number]

/** The first `<console>` is the first serial port seen again. */
function consoleAlias(console: ConsoleXml, index: number, serials: DevicesXml['serials']): ConsoleXml {
  if (console.target?.type === 'virtio') return named1(console, `console${index}`)
  return named1(console, serials[0]?.alias ?? 'serial0')
}

function checkUnique({ consoles, disks, interfaces, serials, channels, ...others }: DevicesXml): void {
  const virtioConsoles = consoles.filter(({ target }) => target?.type === 'virtio')
  const { filesystems, inputs, videos, rngs, panics, watchdogs } = others
  const seen = new Set<string>()
  for (const { alias } of [
    ...[
      disks,
      interfaces,
      serials,
      virtioConsoles,
      channels,
      filesystems,
      inputs,
      videos,
      rngs,
      panics,
      watchdogs,
    ].flat(),
  ] as readonly Aliased[]) {
    if (alias === undefined) continue
    if (!/^[A-Za-z][\w.-]*$/.test(alias))
      throw malformed(`<alias name='${alias}'> may hold letters, digits, '-', '_', '.'`)
    if (seen.has(alias)) throw malformed(`Two devices have the place or the alias '${alias}'`)
    seen.add(alias)
  }
}
