import type { DomainXml } from '@covirt/xml'
import type { FirmwareVariables } from '../firmware-variables.js'
import { absolute, json, keyval, malformed, unsupported } from './arguments.js'

/** How the machine finds what it runs first. */
export interface Boot {
  readonly args: readonly string[]
  /** Names of the block nodes that are the machine's flash chips: code, then variables. */
  readonly flash: readonly string[]
  /** A file of UEFI variables to be copied from its template where it does not exist. */
  readonly nvram: FirmwareVariables | undefined
}

/** Firmware, kernel and boot menu; the order of devices is {@link bootIndexes}'s. */
export function bootArguments({ os }: DomainXml): Boot {
  if (os.dtb !== undefined) throw unsupported('<os><dtb>')
  if (os.bios?.useSerial) throw unsupported("<os><bios useserial='yes'>")
  if (os.smbiosMode !== undefined && os.smbiosMode !== 'emulate')
    throw unsupported(`<os><smbios mode='${os.smbiosMode}'>`)
  const { args, flash, nvram } = firmware(os)
  const file = (option: string, path: string | undefined) =>
    path === undefined ? [] : [option, absolute(path, `<os><${option.slice(1)}>`)]
  if (os.kernel === undefined && (os.initrd ?? os.cmdline) !== undefined)
    throw malformed('<os>: <initrd> and <cmdline> need a <kernel>')
  return {
    flash,
    nvram,
    args: [
      ...args,
      ...file('-kernel', os.kernel),
      ...file('-initrd', os.initrd),
      ...(os.cmdline === undefined ? [] : ['-append', os.cmdline]),
      ...keyval('-boot', undefined, {
        strict: true,
        menu: os.bootMenu?.enable,
        'splash-time': os.bootMenu?.enable ? os.bootMenu.timeoutMs : undefined,
        'reboot-timeout': os.bios?.rebootTimeoutMs,
      }),
    ],
  }
}

function firmware(os: DomainXml['os']): Boot {
  if (os.firmware === 'efi')
    throw unsupported(
      "<os firmware='efi'>",
      "Name the files: <loader type='pflash' readonly='yes'> and <nvram>",
    )
  const { loader, nvram } = os ?? {}
  if (loader?.path === undefined) return { args: [], flash: [], nvram: undefined }
  if (loader.secure) throw unsupported("<loader secure='yes'>")
  const path = absolute(loader.path, '<os><loader>')
  if ((loader.type ?? 'rom') === 'rom') return { args: ['-bios', path], flash: [], nvram: undefined }
  if (loader.type !== 'pflash') throw unsupported(`<loader type='${loader.type}'>`)
  const code = flashNode('pflash0', path, loader.format ?? 'raw', loader.readonly ?? true)
  if (nvram?.path === undefined) return { args: code, flash: ['pflash0'], nvram: undefined }
  const variables = absolute(nvram.path, '<os><nvram>')
  return {
    args: [...code, ...flashNode('pflash1', variables, nvram.format ?? 'raw', false)],
    flash: ['pflash0', 'pflash1'],
    nvram: nvram.template === undefined ? undefined : { path: variables, template: nvram.template },
  }
}

function flashNode(name: string, filename: string, format: string, readOnly: boolean): string[] {
  if (format !== 'raw' && format !== 'qcow2') throw unsupported(`the format '${format}' for firmware`)
  const file = { driver: 'file', filename }
  return json('-blockdev', { 'node-name': name, driver: format, 'read-only': readOnly, file })
}

/** Which device is tried in which place: numbers from 1, by list and position in it. */
export interface BootIndexes {
  readonly disks: readonly (number | undefined)[]
  readonly interfaces: readonly (number | undefined)[]
}

/** The boot order, from the devices' own `<boot order>` or from `<os><boot dev>`; without either, disks first. */
export function bootIndexes({ os, devices }: DomainXml): BootIndexes {
  const disks = devices.disks ?? []
  const interfaces = devices.interfaces ?? []
  const own = [...disks, ...interfaces].some(({ bootOrder }) => bootOrder !== undefined)
  const kinds = os.boot ?? []
  if (own && kinds.length > 0)
    throw malformed('<boot order> of devices and <os><boot dev> exclude each other')
  if (own) {
    return {
      disks: disks.map(({ bootOrder }) => bootOrder),
      interfaces: interfaces.map(({ bootOrder }) => bootOrder),
    }
  }
  const diskIndexes: (number | undefined)[] = disks.map(() => undefined)
  const interfaceIndexes: (number | undefined)[] = interfaces.map(() => undefined)
  let next = 1
  for (const kind of kinds.length > 0 || os.kernel !== undefined ? kinds : ['hd']) {
    if (kind === 'network') for (const index of interfaces.keys()) interfaceIndexes[index] = next++
    else if (kind === 'hd' || kind === 'cdrom') {
      for (const [index, { device = 'disk' }] of disks.entries()) {
        if ((device === 'cdrom') === (kind === 'cdrom')) diskIndexes[index] = next++
      }
    } else throw unsupported(`<os><boot dev='${kind}'>`)
  }
  return { disks: diskIndexes, interfaces: interfaceIndexes }
}
