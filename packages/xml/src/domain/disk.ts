import type { Output } from '../codec/codec.js'
import {
  attr,
  child,
  children,
  flag,
  oneOf,
  onOff,
  openSet,
  raw,
  record,
  required,
  string,
  textOnly,
  u32,
  u64,
  union,
  yesNo,
} from '../codec/index.js'
import { deviceEnd } from './address.js'

const sourceEnd = {
  startupPolicy: attr('startupPolicy', oneOf('mandatory', 'requisite', 'optional')),
  index: attr('index', u32),
} as const

const driver = record({
  name: attr('name', string),
  type: attr('type', openSet('raw', 'qcow2', 'auto')),
  cache: attr('cache', oneOf('default', 'none', 'writethrough', 'writeback', 'directsync', 'unsafe')),
  errorPolicy: attr('error_policy', oneOf('stop', 'report', 'ignore', 'enospace')),
  readErrorPolicy: attr('rerror_policy', oneOf('stop', 'report', 'ignore')),
  io: attr('io', openSet('native', 'threads', 'io_uring')),
  discard: attr('discard', oneOf('ignore', 'unmap')),
  detectZeroes: attr('detect_zeroes', oneOf('off', 'on', 'unmap')),
  copyOnRead: attr('copy_on_read', onOff),
  iothread: attr('iothread', u32),
  queues: attr('queues', u32),
  format: child('format', record({ type: attr('type', string) })),
})

const host = record({
  name: attr('name', string),
  port: attr('port', u32),
  transport: attr('transport', openSet('tcp', 'unix', 'rdma')),
  socket: attr('socket', string),
})

const target = record({
  dev: required(attr('dev', string)),
  bus: attr('bus', openSet('ide', 'scsi', 'virtio', 'usb', 'sata', 'fdc', 'sd')),
  tray: attr('tray', oneOf('open', 'closed')),
  removable: attr('removable', onOff),
  rotationRate: attr('rotation_rate', u32),
})

const iotune = record({
  totalBytesSec: child('total_bytes_sec', textOnly(u64)),
  readBytesSec: child('read_bytes_sec', textOnly(u64)),
  writeBytesSec: child('write_bytes_sec', textOnly(u64)),
  totalIopsSec: child('total_iops_sec', textOnly(u64)),
  readIopsSec: child('read_iops_sec', textOnly(u64)),
  writeIopsSec: child('write_iops_sec', textOnly(u64)),
})

const blockio = record({
  logicalBlockSize: attr('logical_block_size', u32),
  physicalBlockSize: attr('physical_block_size', u32),
})

const common = {
  device: attr('device', oneOf('disk', 'cdrom', 'floppy', 'lun')),
  model: attr('model', openSet('virtio', 'virtio-transitional', 'virtio-non-transitional')),
  snapshot: attr('snapshot', openSet('internal', 'external', 'no', 'manual')),
  driver: child('driver', driver),
  auth: child('auth', raw),
  source: child('source', record(sourceEnd)),
  backingStore: child('backingStore', raw),
  mirror: child('mirror', raw),
  blockio: child('blockio', blockio),
  target: required(child('target', target)),
  iotune: child('iotune', iotune),
  readonly: flag('readonly'),
  shareable: flag('shareable'),
  transient: flag('transient'),
  serial: child('serial', textOnly(string)),
  wwn: child('wwn', textOnly(string)),
  vendor: child('vendor', textOnly(string)),
  product: child('product', textOnly(string)),
  encryption: child('encryption', raw),
  ...deviceEnd,
} as const

/** `<disk>`: what its `source` says depends on its `type`. */
export const disk = union('file', common, {
  file: { source: child('source', record({ file: attr('file', string), ...sourceEnd })) },
  block: { source: child('source', record({ dev: attr('dev', string), ...sourceEnd })) },
  dir: { source: child('source', record({ dir: attr('dir', string), ...sourceEnd })) },
  network: {
    source: child(
      'source',
      record({
        protocol: attr(
          'protocol',
          openSet('nbd', 'rbd', 'iscsi', 'gluster', 'sheepdog', 'http', 'https', 'ssh', 'nfs'),
        ),
        name: attr('name', string),
        tls: attr('tls', yesNo),
        ...sourceEnd,
        hosts: children('host', host),
      }),
    ),
  },
  volume: {
    source: child(
      'source',
      record({
        pool: attr('pool', string),
        volume: attr('volume', string),
        mode: attr('mode', oneOf('host', 'direct')),
        ...sourceEnd,
      }),
    ),
  },
})

export type DiskXml = Output<typeof disk>
