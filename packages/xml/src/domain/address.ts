import type { Output } from '../codec/codec.js'
import { attr, attrOnly, child, hex, onOff, string, u32, union } from '../codec/index.js'

const drive = {
  controller: attr('controller', u32),
  bus: attr('bus', u32),
  target: attr('target', u32),
  unit: attr('unit', u32),
} as const

/** Where a device is plugged in, by the kind of its bus. */
export const address = union(
  'pci',
  {},
  {
    pci: {
      domain: attr('domain', hex(4, 0xffff)),
      bus: attr('bus', hex(2, 0xff)),
      slot: attr('slot', hex(2, 0x1f)),
      function: attr('function', hex(1, 7)),
      multifunction: attr('multifunction', onOff),
    },
    drive,
    'virtio-serial': {
      controller: attr('controller', u32),
      bus: attr('bus', u32),
      port: attr('port', u32),
    },
    usb: { bus: attr('bus', u32), port: attr('port', string) },
    isa: { iobase: attr('iobase', hex(0, 0xffff)), irq: attr('irq', hex(0, 0xffff)) },
    'virtio-mmio': {},
    ccw: {
      cssid: attr('cssid', hex(0, 0xff)),
      ssid: attr('ssid', hex(0, 3)),
      devno: attr('devno', hex(4, 0xffff)),
    },
    dimm: { slot: attr('slot', u32), base: attr('base', string) },
    unassigned: {},
  },
)

export type DeviceAddressXml = Output<typeof address>

/** What nearly every device has at its end. */
export const deviceEnd = {
  bootOrder: child('boot', attrOnly('order', u32)),
  acpiIndex: child('acpi', attrOnly('index', u32)),
  alias: child('alias', attrOnly('name', string)),
  address: child('address', address),
} as const
