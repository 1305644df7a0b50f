import type { DeviceKind, DevicesXml, DiskXml, DomainXml } from '@covirt/xml'
import { malformed } from './arguments.js'
import { busOf, targetIndex } from './disks.js'
import type { Machine } from './machine.js'

interface Aliased {
  readonly alias?: string | undefined
}

/**
 * Gives each device the name by which QEMU and users know it, in libvirt's manner (`serial0`, `net1`,
 * `virtio-disk0`). Names that the definition chose itself, which begin with `ua-`, stay; others are made anew,
 * so that the same definition always gets the same. All stay of the kinds that are `kept`: those of a guest whose
 * devices have changed since it was launched.
 */
export function withAliases(domain: DomainXml, machine: Machine, kept: KeptAliases = keepNone): DomainXml {
  const { devices } = domain
  const numbered = <T extends Aliased>(kind: DeviceKind, list: readonly T[], prefix: string) =>
    list.map((device, index) => named(device, `${prefix}${index}`, kept(kind)))
  const serials = numbered('serials', devices.serials, 'serial')
  const aliased: DevicesXml = {
    ...devices,
    disks: devices.disks.map((disk) => named(disk, diskAlias(disk, machine), kept('disks'))),
    filesystems: numbered('filesystems', devices.filesystems, 'fs'),
    interfaces: numbered('interfaces', devices.interfaces, 'net'),
    serials,
    consoles: devices.consoles.map((console, index) => consoleAlias(console, index, serials)),
    channels: numbered('channels', devices.channels, 'channel'),
    inputs: numbered('inputs', devices.inputs, 'input'),
    videos: numbered('videos', devices.videos, 'video'),
    rngs: numbered('rngs', devices.rngs, 'rng'),
    panics: numbered('panics', devices.panics, 'panic'),
    watchdogs: numbered('watchdogs', devices.watchdogs, 'watchdog'),
    ...(devices.memballoon && { memballoon: named(devices.memballoon, 'balloon0') }),
  }
  checkUnique(aliased)
  return { ...domain, devices: aliased }
}

/** Whether the devices of a kind have their aliases already. */
export type KeptAliases = (kind: DeviceKind) => boolean

const keepNone: KeptAliases = () => false

function named<T extends Aliased>(device: T, alias: string, kept = false): T {
  if (device.alias === alias || device.alias?.startsWith('ua-')) return device
  return kept && device.alias !== undefined ? device : { ...device, alias }
}

/** The alias of a disk that its definition gives none: after its place. */
export function diskAlias(disk: DiskXml, machine: Machine): string {
  const [bus, index] = [busOf(disk, machine), targetIndex(disk.target.dev)]
  if (bus === 'ide') return `ide0-${Math.floor(index / 2)}-${index % 2}`
  return bus === 'virtio' ? `virtio-disk${index}` : `${bus}0-0-${index}`
}

type ConsoleXml = DevicesXml['consoles'][number]

/** The first `<console>` is the first serial port seen again. */
function consoleAlias(console: ConsoleXml, index: number, serials: DevicesXml['serials']): ConsoleXml {
  if (console.target?.type === 'virtio') return named(console, `console${index}`)
  return named(console, serials[0]?.alias ?? 'serial0')
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
