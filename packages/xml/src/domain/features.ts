import type { Output } from '../codec/codec.js'
import { attr, attrOnly, child, flag, oneOf, onOff, raw, record, string } from '../codec/index.js'
import { originOf } from '../codec/origin.js'
import { elementsOf } from '../tree/nodes.js'

const stateOnly = record({ state: attr('state', onOff) })

const keep = (name: string) => child(name, attrOnly('state', onOff))

/** `<capabilities>`: Linux capabilities that a container keeps (`true`) or loses, against the policy (capabilities(7)). */
const capabilities = record({
  policy: attr('policy', oneOf('default', 'allow', 'deny')),
  chown: keep('chown'),
  dacOverride: keep('dac_override'),
  dacReadSearch: keep('dac_read_search'),
  fowner: keep('fowner'),
  fsetid: keep('fsetid'),
  kill: keep('kill'),
  setgid: keep('setgid'),
  setuid: keep('setuid'),
  setpcap: keep('setpcap'),
  linuxImmutable: keep('linux_immutable'),
  netBindService: keep('net_bind_service'),
  netBroadcast: keep('net_broadcast'),
  netAdmin: keep('net_admin'),
  netRaw: keep('net_raw'),
  ipcLock: keep('ipc_lock'),
  ipcOwner: keep('ipc_owner'),
  sysModule: keep('sys_module'),
  sysRawio: keep('sys_rawio'),
  sysChroot: keep('sys_chroot'),
  sysPtrace: keep('sys_ptrace'),
  sysPacct: keep('sys_pacct'),
  sysAdmin: keep('sys_admin'),
  sysBoot: keep('sys_boot'),
  sysNice: keep('sys_nice'),
  sysResource: keep('sys_resource'),
  sysTime: keep('sys_time'),
  sysTtyConfig: keep('sys_tty_config'),
  mknod: keep('mknod'),
  lease: keep('lease'),
  auditWrite: keep('audit_write'),
  auditControl: keep('audit_control'),
  setfcap: keep('setfcap'),
  macOverride: keep('mac_override'),
  macAdmin: keep('mac_admin'),
  syslog: keep('syslog'),
  wakeAlarm: keep('wake_alarm'),
  blockSuspend: keep('block_suspend'),
  auditRead: keep('audit_read'),
  perfmon: keep('perfmon'),
  bpf: keep('bpf'),
  checkpointRestore: keep('checkpoint_restore'),
})

/** `<features>`: what the machine offers, and what a container may do (`capabilities`). */
export const features = record({
  acpi: flag('acpi'),
  apic: child('apic', record({ eoi: attr('eoi', onOff) })),
  pae: flag('pae'),
  hap: child('hap', stateOnly),
  viridian: flag('viridian'),
  privnet: flag('privnet'),
  hyperv: child('hyperv', raw),
  kvm: child('kvm', raw),
  pvspinlock: child('pvspinlock', stateOnly),
  pmu: child('pmu', stateOnly),
  vmport: child('vmport', stateOnly),
  gic: child('gic', record({ version: attr('version', string) })),
  smm: child('smm', stateOnly),
  ioapic: child('ioapic', record({ driver: attr('driver', oneOf('qemu', 'kvm')) })),
  vmcoreinfo: child('vmcoreinfo', stateOnly),
  capabilities: child('capabilities', capabilities),
})

export type FeaturesXml = Output<typeof features>

/** The first name below `<capabilities>` that is none of a Linux capability. */
export function unknownCapability(features: FeaturesXml | undefined): string | undefined {
  const element = originOf(features?.capabilities)?.element
  const known = new Set([...capabilities.fields()].map(([, field]) => field.elementName))
  return element && elementsOf(element).find(({ name }) => !name.includes(':') && !known.has(name))?.name
}
