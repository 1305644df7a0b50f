import type { Output } from '../codec/codec.js'
import {
  attr,
  attrOnly,
  child,
  flag,
  oneOf,
  only,
  openSet,
  raw,
  record,
  required,
  size,
  string,
  u32,
  union,
} from '../codec/index.js'
import { deviceEnd } from './address.js'

const driver = record({
  type: attr('type', openSet('path', 'handle', 'loop', 'nbd', 'ploop', 'virtiofs', 'mtp')),
  name: attr('name', string),
  format: attr('format', openSet('raw', 'qcow2')),
  writePolicy: attr('wrpolicy', oneOf('immediate')),
  queue: attr('queue', u32),
})

const bytes = only(size({ assume: 'bytes', as: 'bytes' }))

const common = {
  accessMode: attr('accessmode', oneOf('passthrough', 'mapped', 'squash')),
  model: attr('model', openSet('virtio', 'virtio-transitional', 'virtio-non-transitional')),
  multidevs: attr('multidevs', oneOf('default', 'remap', 'forbid', 'warn')),
  fmode: attr('fmode', string),
  dmode: attr('dmode', string),
  driver: child('driver', driver),
  binary: child('binary', raw),
  source: child('source', record({})),
  /** The directory inside the guest, or the mount tag for a virtual machine. */
  target: required(child('target', attrOnly('dir', string))),
  readonly: flag('readonly'),
  spaceHardLimitBytes: child('space_hard_limit', bytes),
  spaceSoftLimitBytes: child('space_soft_limit', bytes),
  ...deviceEnd,
} as const

/** `<filesystem>`: what its `source` says depends on its `type`. */
export const filesystem = union('mount', common, {
  mount: { source: child('source', record({ dir: attr('dir', string), socket: attr('socket', string) })) },
  bind: { source: child('source', record({ dir: attr('dir', string) })) },
  file: { source: child('source', record({ file: attr('file', string) })) },
  block: { source: child('source', record({ dev: attr('dev', string) })) },
  ram: {
    source: child(
      'source',
      record({ usageKib: size({ attribute: 'usage', unitAttribute: 'units', assume: 'KiB', as: 'KiB' }) }),
    ),
  },
  /** `dir` is covirt's: where changes to the template are kept. */
  template: {
    source: child('source', record({ name: attr('name', string), dir: attr('dir', string) })),
  },
  volume: { source: child('source', record({ pool: attr('pool', string), volume: attr('volume', string) })) },
})

export type FilesystemXml = Output<typeof filesystem>
