import type { Output } from '../codec/codec.js'
import {
  attr,
  attrOnly,
  child,
  children,
  oneOf,
  onOff,
  raw,
  record,
  string,
  u32,
  union,
  yesNo,
} from '../codec/index.js'
import { deviceEnd } from './address.js'

const append = attr('append', onOff)
const path = attr('path', string)

const target = record({
  type: attr('type', string),
  port: attr('port', u32),
  name: attr('name', string),
  state: attr('state', oneOf('connected', 'disconnected')),
  address: attr('address', string),
  model: child('model', attrOnly('name', string)),
})

const common = {
  /** The pseudo terminal, given twice by libvirt for consoles: here and in the source. */
  tty: attr('tty', string),
  source: child('source', record({})),
  protocol: child('protocol', attrOnly('type', oneOf('raw', 'telnet', 'telnets', 'tls'))),
  log: child('log', record({ file: attr('file', string), append })),
  target: child('target', target),
  ...deviceEnd,
} as const

const endpoint = record({
  mode: attr('mode', oneOf('bind', 'connect')),
  host: attr('host', string),
  service: attr('service', string),
  tls: attr('tls', yesNo),
})

/** `<serial>`, `<console>`, `<channel>` and `<parallel>`: what the source says depends on `type`. */
export const characterDevice = union('pty', common, {
  pty: { source: child('source', record({ path })) },
  unix: {
    source: child(
      'source',
      record({ mode: attr('mode', oneOf('bind', 'connect')), path, reconnect: child('reconnect', raw) }),
    ),
  },
  file: { source: child('source', record({ path, append })) },
  dev: { source: child('source', record({ path })) },
  pipe: { source: child('source', record({ path })) },
  tcp: { source: child('source', endpoint) },
  udp: { sources: children('source', endpoint) },
  null: {},
  vc: {},
  stdio: {},
  spicevmc: {},
  spiceport: { source: child('source', attrOnly('channel', string)) },
  'qemu-vdagent': { source: child('source', raw) },
  dbus: { source: child('source', attrOnly('channel', string)) },
  nmdm: { source: child('source', record({ master: attr('master', string), slave: attr('slave', string) })) },
})

export type CharacterDeviceXml = Output<typeof characterDevice>
