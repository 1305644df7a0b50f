import type { Output } from '../codec/codec.js'
import {
  attr,
  attrOnly,
  child,
  oneOf,
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
  union,
  yesNo,
} from '../codec/index.js'
import { address, deviceEnd } from './address.js'

/** `<controller>`. */
export const controller = record({
  type: required(
    attr(
      'type',
      openSet('ide', 'fdc', 'scsi', 'sata', 'usb', 'ccid', 'virtio-serial', 'pci', 'xenbus', 'isa'),
    ),
  ),
  index: attr('index', u32),
  model: attr('model', string),
  ports: attr('ports', u32),
  vectors: attr('vectors', u32),
  driver: child('driver', record({ queues: attr('queues', u32), iothread: attr('iothread', u32) })),
  pciModel: child('model', attrOnly('name', string)),
  target: child(
    'target',
    record({
      chassis: attr('chassis', u32),
      chassisNr: attr('chassisNr', u32),
      port: attr('port', string),
      busNr: attr('busNr', u32),
    }),
  ),
  master: child('master', attrOnly('startport', u32)),
  ...deviceEnd,
})
export type ControllerXml = Output<typeof controller>

/** `<input>`. */
export const input = record({
  type: required(attr('type', openSet('tablet', 'mouse', 'keyboard', 'passthrough', 'evdev'))),
  bus: attr('bus', openSet('ps2', 'usb', 'virtio', 'xen')),
  model: attr('model', string),
  source: child('source', record({ evdev: attr('evdev', string), dev: attr('dev', string) })),
  ...deviceEnd,
})
export type InputXml = Output<typeof input>

/** `<video>`; memory sizes are in KiB, as libvirt has them. */
export const video = record({
  driver: child('driver', record({ name: attr('name', string), iommu: attr('iommu', onOff) })),
  model: child(
    'model',
    record({
      type: attr('type', openSet('vga', 'cirrus', 'vmvga', 'qxl', 'virtio', 'none', 'bochs', 'ramfb', 'gop')),
      ramKib: attr('ram', u32),
      vramKib: attr('vram', u32),
      vgamemKib: attr('vgamem', u32),
      heads: attr('heads', u32),
      primary: attr('primary', yesNo),
      resolution: child('resolution', record({ x: attr('x', u32), y: attr('y', u32) })),
      acceleration: child(
        'acceleration',
        record({ accel3d: attr('accel3d', yesNo), accel2d: attr('accel2d', yesNo) }),
      ),
    }),
  ),
  ...deviceEnd,
})
export type VideoXml = Output<typeof video>

/** `<sound>`. */
export const sound = record({
  model: attr('model', openSet('ich6', 'ich7', 'ich9', 'ac97', 'es1370', 'sb16', 'usb')),
  ...deviceEnd,
})
export type SoundXml = Output<typeof sound>

/** `<watchdog>`. */
export const watchdog = record({
  model: attr('model', openSet('i6300esb', 'ib700', 'diag288', 'itco')),
  action: attr('action', oneOf('reset', 'shutdown', 'poweroff', 'pause', 'none', 'dump', 'inject-nmi')),
  ...deviceEnd,
})
export type WatchdogXml = Output<typeof watchdog>

/** `<memballoon>`. */
export const memballoon = record({
  model: attr('model', openSet('virtio', 'virtio-transitional', 'virtio-non-transitional', 'xen', 'none')),
  autodeflate: attr('autodeflate', onOff),
  freePageReporting: attr('freePageReporting', onOff),
  statsPeriodS: child('stats', attrOnly('period', u32)),
  ...deviceEnd,
})
export type MemballoonXml = Output<typeof memballoon>

/** `<rng>`. */
export const rng = record({
  model: attr('model', openSet('virtio', 'virtio-transitional', 'virtio-non-transitional')),
  rate: child('rate', record({ periodMs: attr('period', u32), bytes: attr('bytes', u32) })),
  backend: child(
    'backend',
    record({
      model: attr('model', openSet('random', 'egd', 'builtin')),
      type: attr('type', string),
      path: text(string),
    }),
  ),
  ...deviceEnd,
})
export type RngXml = Output<typeof rng>

/** `<panic>`. */
export const panic = record({
  model: attr('model', openSet('isa', 'pseries', 'hyperv', 's390', 'pvpanic')),
  ...deviceEnd,
})
export type PanicXml = Output<typeof panic>

/** `<tpm>`. */
export const tpm = record({
  model: attr('model', openSet('tpm-tis', 'tpm-crb', 'tpm-spapr')),
  backend: child(
    'backend',
    record({
      type: attr('type', openSet('passthrough', 'emulator', 'external')),
      version: attr('version', string),
      device: child('device', attrOnly('path', string)),
    }),
  ),
  ...deviceEnd,
})
export type TpmXml = Output<typeof tpm>

/** `<memory>`: memory that can be plugged in. */
export const memoryDevice = record({
  model: attr('model', openSet('dimm', 'nvdimm', 'virtio-pmem', 'virtio-mem', 'sgx-epc')),
  access: attr('access', oneOf('shared', 'private')),
  target: child(
    'target',
    record({
      sizeKib: child('size', only(size({ assume: 'KiB', as: 'KiB' }))),
      node: child('node', textOnly(u32)),
    }),
  ),
  ...deviceEnd,
})
export type MemoryDeviceXml = Output<typeof memoryDevice>

const hostdevEnd = { managed: attr('managed', yesNo), rom: child('rom', raw), ...deviceEnd } as const

/** `<hostdev>`: a device of the host, by what kind it is there. */
export const hostdev = union(
  'pci',
  { mode: attr('mode', oneOf('subsystem', 'capabilities')), ...hostdevEnd },
  {
    pci: { source: child('source', record({ address: child('address', address) })) },
    usb: {
      source: child(
        'source',
        record({
          vendor: child('vendor', attrOnly('id', string)),
          product: child('product', attrOnly('id', string)),
          address: child('address', record({ bus: attr('bus', u32), device: attr('device', u32) })),
        }),
      ),
    },
    scsi: { source: child('source', raw) },
    storage: { source: child('source', record({ block: child('block', textOnly(string)) })) },
    misc: { source: child('source', record({ char: child('char', textOnly(string)) })) },
    net: { source: child('source', record({ interface: child('interface', textOnly(string)) })) },
  },
)
export type HostdevXml = Output<typeof hostdev>
