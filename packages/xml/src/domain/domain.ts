import type { Input, Output } from '../codec/codec.js'
import { formatDocument, type ParseOptions, parseDocument } from '../codec/document.js'
import {
  always,
  attr,
  attrOnly,
  child,
  children,
  integer,
  oneOf,
  only,
  openSet,
  raw,
  record,
  required,
  size,
  string,
  text,
  textOnly,
  u32,
  uuid,
  yesNo,
} from '../codec/index.js'
import { clock } from './clock.js'
import { devices } from './devices.js'
import { features } from './features.js'
import { idmap, resource, seclabel } from './isolation.js'
import { operatingSystem } from './operating-system.js'
import { processor } from './processor.js'
import { blkiotune, cputune, memoryBacking, memtune, numatune } from './tuning.js'

const kib = size({ assume: 'KiB', as: 'KiB' })

const vcpu = record({
  placement: attr('placement', oneOf('static', 'auto')),
  cpuset: attr('cpuset', string),
  /** How many are plugged in at start; all, where it is not said. */
  current: attr('current', u32),
  count: text(u32),
})

const lifecycleAction = textOnly(oneOf('destroy', 'restart', 'preserve', 'rename-restart'))
const crashAction = textOnly(
  oneOf('destroy', 'restart', 'preserve', 'rename-restart', 'coredump-destroy', 'coredump-restart'),
)

/** libvirt's `<domain>` (https://libvirt.org/formatdomain.html). Defaults are not filled in. */
export const domain = record({
  type: required(attr('type', openSet('lxc', 'kvm', 'qemu', 'test'))),
  /** The number of a running domain. */
  id: attr('id', integer(-1, 0x7fff_ffff)),
  name: required(child('name', textOnly(string))),
  uuid: child('uuid', textOnly(uuid)),
  genid: child('genid', textOnly(uuid)),
  title: child('title', textOnly(string)),
  description: child('description', textOnly(string)),
  metadata: child('metadata', raw),
  maxMemory: child('maxMemory', record({ slots: attr('slots', u32), kib })),
  memoryKib: child('memory', only(kib)),
  currentMemoryKib: child('currentMemory', only(kib)),
  memoryBacking: child('memoryBacking', memoryBacking),
  vcpu: child('vcpu', vcpu),
  iothreads: child('iothreads', textOnly(u32)),
  blkiotune: child('blkiotune', blkiotune),
  memtune: child('memtune', memtune),
  cputune: child('cputune', cputune),
  numatune: child('numatune', numatune),
  resource: child('resource', resource),
  sysinfo: children('sysinfo', raw),
  bootloader: child('bootloader', textOnly(string)),
  os: always('os', operatingSystem),
  idmap: child('idmap', idmap),
  features: child('features', features),
  cpu: child('cpu', processor),
  clock: child('clock', clock),
  onPoweroff: child('on_poweroff', lifecycleAction),
  onReboot: child('on_reboot', lifecycleAction),
  onCrash: child('on_crash', crashAction),
  pm: child(
    'pm',
    record({
      suspendToMem: child('suspend-to-mem', attrOnly('enabled', yesNo)),
      suspendToDisk: child('suspend-to-disk', attrOnly('enabled', yesNo)),
    }),
  ),
  devices: always('devices', devices),
  seclabels: children('seclabel', seclabel),
})

/** A domain's definition; read from a document it carries all of that along, also what is not declared. */
export type DomainXml = Output<typeof domain>

/** What a document can be written from: {@link DomainXml} with lists optional. */
export type DomainInput = Input<typeof domain>

/**
 * Reads a `<domain>` document. Throws `XML_ERROR`, saying where, for text that is not well-formed, over a
 * limit, or has a value that is not of its declared kind.
 */
export function parseDomain(xml: string | Uint8Array, options?: ParseOptions): DomainXml {
  return parseDocument('domain', domain, xml, options)
}

/**
 * The document of a domain. Of one that was read, everything unchanged is as it was, to the byte; changed
 * copies made by spreading keep what is not declared, each element with its own.
 */
export function formatDomain(value: DomainInput): string {
  return formatDocument('domain', domain, value)
}

/**
 * A deep copy that shares nothing with `value` and yet keeps what is not declared, which `structuredClone`
 * loses.
 */
export function cloneDomain(value: DomainInput): DomainXml {
  return parseDomain(formatDomain(value))
}
