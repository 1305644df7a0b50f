import type { Output } from '../codec/codec.js'
import {
  attr,
  attrOnly,
  child,
  children,
  oneOf,
  openSet,
  record,
  required,
  string,
  textOnly,
  u32,
  yesNo,
} from '../codec/index.js'

const range = record({
  start: required(attr('start', u32)),
  target: required(attr('target', u32)),
  count: required(attr('count', u32)),
})

/** `<idmap>`: which host ids a container's ids are. */
export const idmap = record({ uids: children('uid', range), gids: children('gid', range) })
export type IdmapXml = Output<typeof idmap>

/** `<seclabel>`. */
export const seclabel = record({
  type: attr('type', oneOf('dynamic', 'static', 'none')),
  model: attr('model', openSet('selinux', 'apparmor', 'dac')),
  relabel: attr('relabel', yesNo),
  label: child('label', textOnly(string)),
  imageLabel: child('imagelabel', textOnly(string)),
  baseLabel: child('baselabel', textOnly(string)),
})
export type SeclabelXml = Output<typeof seclabel>

/** `<resource>`: the control group and fabric identity. */
export const resource = record({
  partition: child('partition', textOnly(string)),
  fibreChannelAppId: child('fibrechannel', attrOnly('appid', string)),
})
export type ResourceXml = Output<typeof resource>
