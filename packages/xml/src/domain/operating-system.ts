import type { Output } from '../codec/codec.js'
import {
  anyText,
  attr,
  attrOnly,
  child,
  children,
  integer,
  oneOf,
  openSet,
  record,
  required,
  string,
  text,
  textOnly,
  u32,
  yesNo,
} from '../codec/index.js'

const loader = record({
  readonly: attr('readonly', yesNo),
  secure: attr('secure', yesNo),
  type: attr('type', openSet('rom', 'pflash')),
  format: attr('format', openSet('raw', 'qcow2')),
  stateless: attr('stateless', yesNo),
  path: text(string),
})

const nvram = record({
  template: attr('template', string),
  format: attr('format', string),
  path: text(string),
})

const type = record({
  arch: attr('arch', openSet('x86_64', 'i686', 'aarch64')),
  machine: attr('machine', string),
  type: required(text(openSet('hvm', 'exe', 'linux', 'xen', 'uml'))),
})

/** `<os>`: how a virtual machine boots (`hvm`) or what a container runs first (`exe`). */
export const operatingSystem = record({
  firmware: attr('firmware', openSet('bios', 'efi')),
  type: child('type', type),
  firmwareFeatures: child(
    'firmware',
    record({
      features: children(
        'feature',
        record({
          enabled: attr('enabled', yesNo),
          name: attr('name', openSet('enrolled-keys', 'secure-boot')),
        }),
      ),
    }),
  ),
  init: child('init', textOnly(string)),
  initArgs: children('initarg', anyText),
  initEnv: children('initenv', record({ name: required(attr('name', string)), value: text(string) })),
  initDir: child('initdir', textOnly(string)),
  initUser: child('inituser', textOnly(string)),
  initGroup: child('initgroup', textOnly(string)),
  loader: child('loader', loader),
  nvram: child('nvram', nvram),
  kernel: child('kernel', textOnly(string)),
  initrd: child('initrd', textOnly(string)),
  cmdline: child('cmdline', textOnly(string)),
  dtb: child('dtb', textOnly(string)),
  /** The kinds of device to boot from, in order. */
  boot: children('boot', attrOnly('dev', openSet('fd', 'hd', 'cdrom', 'network'))),
  bootMenu: child('bootmenu', record({ enable: attr('enable', yesNo), timeoutMs: attr('timeout', u32) })),
  smbiosMode: child('smbios', attrOnly('mode', oneOf('emulate', 'host', 'sysinfo'))),
  bios: child(
    'bios',
    record({
      useSerial: attr('useserial', yesNo),
      rebootTimeoutMs: attr('rebootTimeout', integer(-1, 65535)),
    }),
  ),
})

export type OperatingSystemXml = Output<typeof operatingSystem>
