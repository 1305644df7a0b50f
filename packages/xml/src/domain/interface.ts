import type { Output } from '../codec/codec.js'
import {
  attr,
  attrOnly,
  child,
  children,
  macAddress,
  oneOf,
  onOff,
  openSet,
  port,
  raw,
  record,
  required,
  string,
  u32,
  union,
  yesNo,
} from '../codec/index.js'
import { address, deviceEnd } from './address.js'

const mac = record({
  address: attr('address', macAddress),
  type: attr('type', oneOf('generated', 'static')),
  check: attr('check', yesNo),
})

const ip = record({
  address: required(attr('address', string)),
  family: attr('family', oneOf('ipv4', 'ipv6')),
  prefix: attr('prefix', u32),
  peer: attr('peer', string),
})

const route = record({
  family: attr('family', oneOf('ipv4', 'ipv6')),
  address: attr('address', string),
  netmask: attr('netmask', string),
  prefix: attr('prefix', u32),
  gateway: attr('gateway', string),
  metric: attr('metric', u32),
})

const driver = record({
  name: attr('name', openSet('qemu', 'vhost', 'vfio')),
  queues: attr('queues', u32),
  rxQueueSize: attr('rx_queue_size', u32),
  txQueueSize: attr('tx_queue_size', u32),
  txMode: attr('txmode', oneOf('iothread', 'timer')),
  ioeventfd: attr('ioeventfd', onOff),
  eventIdx: attr('event_idx', onOff),
})

const target = record({ dev: attr('dev', string), managed: attr('managed', yesNo) })

const guest = record({ dev: attr('dev', string), actual: attr('actual', string) })

const average = record({
  average: attr('average', u32),
  peak: attr('peak', u32),
  burst: attr('burst', u32),
  floor: attr('floor', u32),
})

const bandwidth = record({ inbound: child('inbound', average), outbound: child('outbound', average) })

const virtualport = record({
  type: attr('type', openSet('openvswitch', 'midonet', '802.1Qbg', '802.1Qbh')),
  parameters: child('parameters', raw),
})

const common = {
  trustGuestRxFilters: attr('trustGuestRxFilters', yesNo),
  managed: attr('managed', yesNo),
  mac: child('mac', mac),
  source: child('source', record({})),
  virtualport: child('virtualport', virtualport),
  backend: child('backend', raw),
  script: child('script', attrOnly('path', string)),
  /** Addresses that the guest gets: the container's, for LXC. */
  ips: children('ip', ip),
  routes: children('route', route),
  target: child('target', target),
  guest: child('guest', guest),
  model: child(
    'model',
    attrOnly('type', openSet('virtio', 'e1000', 'e1000e', 'rtl8139', 'ne2k_pci', 'pcnet')),
  ),
  driver: child('driver', driver),
  filterref: child('filterref', raw),
  bandwidth: child('bandwidth', bandwidth),
  vlan: child('vlan', raw),
  isolated: child('port', attrOnly('isolated', yesNo)),
  linkState: child('link', attrOnly('state', oneOf('up', 'down'))),
  mtu: child('mtu', attrOnly('size', u32)),
  coalesce: child('coalesce', raw),
  ...deviceEnd,
} as const

const socket = record({
  address: attr('address', string),
  port: attr('port', port),
  local: child('local', record({ address: attr('address', string), port: attr('port', port) })),
})

/** `<interface>`: what its `source` says depends on its `type`. */
export const networkInterface = union('user', common, {
  network: {
    source: child(
      'source',
      record({
        network: attr('network', string),
        portgroup: attr('portgroup', string),
        bridge: attr('bridge', string),
        portid: attr('portid', string),
      }),
    ),
  },
  bridge: { source: child('source', record({ bridge: attr('bridge', string) })) },
  ethernet: {
    source: child('source', record({ ips: children('ip', ip), routes: children('route', route) })),
  },
  user: { source: child('source', record({ dev: attr('dev', string) })) },
  direct: {
    source: child(
      'source',
      record({
        dev: attr('dev', string),
        mode: attr('mode', oneOf('vepa', 'private', 'bridge', 'passthrough')),
      }),
    ),
  },
  hostdev: { source: child('source', record({ address: child('address', address) })) },
  vhostuser: {
    source: child(
      'source',
      record({
        type: attr('type', openSet('unix')),
        path: attr('path', string),
        mode: attr('mode', oneOf('server', 'client')),
      }),
    ),
  },
  server: { source: child('source', socket) },
  client: { source: child('source', socket) },
  mcast: { source: child('source', socket) },
  udp: { source: child('source', socket) },
  internal: { source: child('source', record({ name: attr('name', string) })) },
})

export type InterfaceXml = Output<typeof networkInterface>
