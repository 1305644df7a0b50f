import type { DiskXml } from '@covirt/xml'
import { absolute, device, type JsonValue, json, malformed, unsupported } from './arguments.js'
import { sataId } from './controllers.js'
import { type Machine, virtio } from './machine.js'
import { pciPlacement } from './pci-address.js'

/** `-blockdev` and `-device` of one disk; `alias` is its id. */
export function diskArguments(
  disk: DiskXml,
  alias: string,
  bootindex: number | undefined,
  machine: Machine,
): string[] {
  refuse(disk)
  const nodes = blockNodes(disk, alias)
  const drive = nodes.length > 0 ? `${alias}-format` : undefined
  const { driver } = disk
  const writable = !isReadOnly(disk)
  const common = {
    drive,
    bootindex,
    'write-cache': drive && driver?.cache && writable ? writeCache(driver.cache) : undefined,
    'share-rw': disk.shareable,
    serial: disk.serial,
    logical_block_size: disk.blockio?.logicalBlockSize,
    physical_block_size: disk.blockio?.physicalBlockSize,
    werror: driver?.errorPolicy === 'enospace' ? 'enospc' : driver?.errorPolicy,
    rerror: driver?.readErrorPolicy ?? (driver?.errorPolicy === 'enospace' ? undefined : driver?.errorPolicy),
  }
  return [...nodes, ...diskDevice(disk, alias, common, machine)]
}

/** The bus a disk is on: given, or by libvirt's custom after the name of its target. */
export function busOf({ target }: DiskXml, machine: Machine): string {
  if (target.bus !== undefined) return target.bus
  if (target.dev.startsWith('vd')) return 'virtio'
  if (target.dev.startsWith('sd')) return 'sata'
  if (target.dev.startsWith('hd')) return machine.kind === 'q35' ? 'sata' : 'ide'
  throw malformed(`<disk><target dev='${target.dev}'>: the bus is missing`, "Add bus='virtio'")
}

/** 0 for `vda`, 25 for `vdz`, 26 for `vdaa`. */
export function targetIndex(dev: string): number {
  const letters = /^[a-z]d([a-z]+)$/.exec(dev)?.[1]
  if (letters === undefined || letters.length > 3)
    throw malformed(`<disk><target dev='${dev}'> is not a name like 'vda' or 'sdb'`)
  return [...letters].reduce((index, letter) => index * 26 + letter.charCodeAt(0) - 96, 0) - 1
}

function diskDevice(
  disk: DiskXml,
  alias: string,
  properties: Readonly<Record<string, JsonValue>>,
  machine: Machine,
): string[] {
  const bus = busOf(disk, machine)
  if (bus === 'virtio') {
    if (disk.device === 'cdrom')
      throw unsupported("<disk device='cdrom'> on bus 'virtio'", "Use bus='sata' or 'ide'")
    if (properties.drive === undefined)
      throw malformed(`<disk><target dev='${disk.target.dev}'>: it has no <source>`)
    return device(virtio(machine, 'blk'), alias, { ...properties, ...pciPlacement(disk.address, machine) })
  }
  const driver = disk.device === 'cdrom' ? 'ide-cd' : 'ide-hd'
  if (bus === 'ide' || bus === 'sata') {
    if (disk.device !== 'cdrom' && properties.drive === undefined)
      throw malformed(`<disk><target dev='${disk.target.dev}'>: it has no <source>`)
    const place = bus === 'ide' ? idePlace(disk, machine) : sataPlace(disk, machine)
    return device(driver, alias, { ...properties, ...place })
  }
  throw unsupported(`<disk><target bus='${bus}'>`, 'Known are virtio, sata and ide')
}

function idePlace(disk: DiskXml, machine: Machine): { readonly bus: string; readonly unit: number } {
  if (machine.kind !== 'pc')
    throw unsupported(
      `<disk><target bus='ide'> on the machine '${machine.name}'`,
      "Use bus='sata' or 'virtio'",
    )
  const drive = disk.address?.type === 'drive' ? disk.address : undefined
  const index = targetIndex(disk.target.dev)
  const bus = drive?.bus ?? Math.floor(index / 2)
  const unit = drive?.unit ?? index % 2
  if (bus > 1 || unit > 1)
    throw unsupported(`<disk><target dev='${disk.target.dev}' bus='ide'>: there are four`)
  return { bus: `ide.${bus}`, unit }
}

function sataPlace(disk: DiskXml, machine: Machine): { readonly bus: string } {
  if (machine.kind === 'microvm')
    throw unsupported(`<disk><target bus='sata'> on the machine '${machine.name}'`, "Use bus='virtio'")
  const drive = disk.address?.type === 'drive' ? disk.address : undefined
  const unit = drive?.unit ?? targetIndex(disk.target.dev)
  if (unit > 5) throw unsupported(`<disk><target dev='${disk.target.dev}' bus='sata'>: there are six`)
  return { bus: machine.kind === 'q35' ? `ide.${unit}` : `${sataId}.${unit}` }
}

/** The file and its format as two nodes. The format is always said: a guest could write another's header. */
function blockNodes(disk: DiskXml, alias: string): string[] {
  const { driver } = disk
  const file = sourceNode(disk)
  if (file === undefined) return []
  const format = driver?.type ?? 'raw'
  if (format !== 'raw' && format !== 'qcow2')
    throw unsupported(
      `<disk><driver type='${format}'>`,
      "Say type='raw' or type='qcow2': formats are not guessed",
    )
  const cache =
    driver?.cache === undefined || driver.cache === 'default'
      ? undefined
      : {
          direct: driver.cache === 'none' || driver.cache === 'directsync',
          'no-flush': driver.cache === 'unsafe',
        }
  if (driver?.io === 'native' && !cache?.direct)
    throw malformed("<disk><driver io='native'> needs cache='none' or cache='directsync'")
  const common = { 'read-only': isReadOnly(disk), cache, discard: driver?.discard ?? 'ignore' }
  return [
    ...json('-blockdev', {
      'node-name': `${alias}-storage`,
      ...file,
      aio: driver?.io?.replace('-', '_'),
      ...common,
    }),
    ...json('-blockdev', {
      'node-name': `${alias}-format`,
      driver: format,
      file: `${alias}-storage`,
      'detect-zeroes': driver?.detectZeroes,
      ...common,
    }),
  ]
}

function sourceNode(disk: DiskXml): { readonly driver: string; readonly filename: string } | undefined {
  switch (disk.type) {
    case 'file': {
      const path = disk.source?.file
      return path === undefined
        ? undefined
        : { driver: 'file', filename: absolute(path, '<disk><source file>') }
    }
    case 'block': {
      const path = disk.source?.dev
      return path === undefined
        ? undefined
        : { driver: 'host_device', filename: absolute(path, '<disk><source dev>') }
    }
    default:
      throw unsupported(`<disk type='${disk.type}'>`, 'Known are file and block')
  }
}

function isReadOnly(disk: DiskXml): boolean {
  return disk.readonly === true || disk.device === 'cdrom'
}

function writeCache(cache: string): 'on' | 'off' | undefined {
  if (cache === 'default') return undefined
  return cache === 'writethrough' || cache === 'directsync' ? 'off' : 'on'
}

function refuse(disk: DiskXml): void {
  const { device: kind = 'disk', driver } = disk
  const refused = [
    [kind !== 'disk' && kind !== 'cdrom', ` device='${kind}'`],
    [disk.model !== undefined && disk.model !== 'virtio', ` model='${disk.model}'`],
    [disk.auth, '><auth'],
    [disk.encryption, '><encryption'],
    [disk.mirror, '><mirror'],
    [disk.iotune, '><iotune'],
    [disk.transient, '><transient'],
    [disk.wwn, '><wwn'],
    [disk.vendor ?? disk.product, '><vendor'],
    [driver?.copyOnRead, '><driver copy_on_read'],
    [driver?.iothread, '><driver iothread'],
    [driver?.queues, '><driver queues'],
    [driver?.name !== undefined && driver.name !== 'qemu', `><driver name='${driver?.name}'`],
    [isOptional(disk), '><source startupPolicy'],
  ] as const
  for (const [asked, what] of refused) if (asked) throw unsupported(`<disk${what}>`)
}

function isOptional({ source }: DiskXml): boolean {
  const policy = source?.startupPolicy
  return policy !== undefined && policy !== 'mandatory'
}
