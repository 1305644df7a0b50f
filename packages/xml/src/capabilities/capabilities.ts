import type { Input, Output } from '../codec/codec.js'
import { formatDocument, type ParseOptions, parseDocument } from '../codec/document.js'
import {
  attr,
  attrOnly,
  child,
  children,
  flag,
  only,
  onOff,
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
import { topology } from '../domain/processor.js'

const hostCpu = record({
  arch: child('arch', textOnly(string)),
  model: child('model', textOnly(string)),
  vendor: child('vendor', textOnly(string)),
  microcodeVersion: child('microcode', attrOnly('version', string)),
  signature: child('signature', raw),
  counter: children('counter', raw),
  topology: child('topology', topology),
  features: children('feature', attrOnly('name', string)),
  pages: children('pages', record({ unit: attr('unit', string), size: attr('size', u32) })),
})

const processor = record({
  id: required(attr('id', u32)),
  socketId: attr('socket_id', u32),
  dieId: attr('die_id', u32),
  coreId: attr('core_id', u32),
  siblings: attr('siblings', string),
})

const cell = record({
  id: required(attr('id', u32)),
  memoryKib: child('memory', only(size({ assume: 'KiB', as: 'KiB' }))),
  pages: children('pages', raw),
  distances: child('distances', raw),
  cpus: child('cpus', record({ num: attr('num', u32), cpus: children('cpu', processor) })),
})

const securityModel = record({
  model: child('model', textOnly(string)),
  doi: child('doi', textOnly(string)),
  baseLabels: children('baselabel', record({ type: attr('type', string), label: text(string) })),
})

const host = record({
  uuid: child('uuid', textOnly(uuid)),
  cpu: child('cpu', hostCpu),
  powerManagement: child(
    'power_management',
    record({
      suspendMem: flag('suspend_mem'),
      suspendDisk: flag('suspend_disk'),
      suspendHybrid: flag('suspend_hybrid'),
    }),
  ),
  iommuSupport: child('iommu', attrOnly('support', yesNo)),
  migration: child(
    'migration_features',
    record({
      live: flag('live'),
      uriTransports: child(
        'uri_transports',
        record({ transports: children('uri_transport', textOnly(string)) }),
      ),
    }),
  ),
  topology: child(
    'topology',
    record({
      cells: child('cells', record({ num: attr('num', u32), cells: children('cell', cell) })),
    }),
  ),
  cache: child('cache', raw),
  memoryBandwidth: child('memory_bandwidth', raw),
  securityModels: children('secmodel', securityModel),
})

const machine = record({
  canonical: attr('canonical', string),
  maxCpus: attr('maxCpus', u32),
  deprecated: attr('deprecated', yesNo),
  name: required(text(string)),
})

const archDomain = record({
  type: required(attr('type', openSet('lxc', 'kvm', 'qemu', 'test'))),
  emulator: child('emulator', textOnly(string)),
  machines: children('machine', machine),
})

const arch = record({
  name: required(attr('name', string)),
  wordSize: child('wordsize', textOnly(u32)),
  emulator: child('emulator', textOnly(string)),
  machines: children('machine', machine),
  domains: children('domain', archDomain),
})

const toggle = record({ default: attr('default', onOff), toggle: attr('toggle', yesNo) })

const guest = record({
  osType: child('os_type', textOnly(openSet('hvm', 'exe', 'xen', 'linux'))),
  arch: child('arch', arch),
  features: child(
    'features',
    record({
      pae: flag('pae'),
      nonpae: flag('nonpae'),
      acpi: child('acpi', toggle),
      apic: child('apic', toggle),
      cpuSelection: flag('cpuselection'),
      deviceBoot: flag('deviceboot'),
      diskSnapshot: child('disksnapshot', toggle),
      externalSnapshot: flag('externalSnapshot'),
      privnet: flag('privnet'),
    }),
  ),
})

/** libvirt's `<capabilities>` of a host (https://libvirt.org/formatcaps.html). */
export const capabilities = record({ host: child('host', host), guests: children('guest', guest) })

export type CapabilitiesXml = Output<typeof capabilities>

/** What a document can be written from: {@link CapabilitiesXml} with lists optional. */
export type CapabilitiesInput = Input<typeof capabilities>

/** Reads a `<capabilities>` document; errors as of a domain's. */
export function parseCapabilities(xml: string | Uint8Array, options?: ParseOptions): CapabilitiesXml {
  return parseDocument('capabilities', capabilities, xml, options)
}

/** The document of capabilities. */
export function formatCapabilities(value: CapabilitiesInput): string {
  return formatDocument('capabilities', capabilities, value)
}
