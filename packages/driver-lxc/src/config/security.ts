import type { DomainXml } from '@covirt/xml'
import type { HostFacts } from '../host/host-facts.js'
import type { ConfigLine } from './config-lines.js'
import { type ContainerPreset, containerOptions } from './container-options.js'
import { hasIdmap, idmapLines } from './idmap.js'

/** Powers over the host's kernel and its log, sleep, clock and security modules, which no container needs. */
const droppedCapabilities = [
  'block_suspend',
  'mac_admin',
  'mac_override',
  'sys_module',
  'sys_rawio',
  'sys_time',
  'syslog',
  'wake_alarm',
]

/** What a program needs that is made for containers: to change owners and users, and to listen at low ports. */
const applicationCapabilities = [
  'audit_write',
  'chown',
  'dac_override',
  'fowner',
  'fsetid',
  'kill',
  'net_bind_service',
  'net_raw',
  'setfcap',
  'setgid',
  'setpcap',
  'setuid',
  'sys_chroot',
]

/**
 * What the container may do: capabilities, system calls, ids, security modules.
 *
 * @param seccompFile where {@link seccompProfile} is
 */
export function securityLines(
  document: DomainXml,
  { host, seccompFile }: { readonly host: HostFacts; readonly seccompFile: string },
): ConfigLine[] {
  const { preset } = containerOptions(document)
  return [
    ...capabilityLines(document, preset),
    ...(host.seccomp ? [['lxc.seccomp.profile', seccompFile] as const] : []),
    ...(preset === 'application' ? [['lxc.no_new_privs', '1'] as const] : []),
    ...apparmorLines(document, host),
    ...selinuxLines(document, host),
    ...idmapLines(document),
  ]
}

/** What would protect the host from the container and is not to be had here, though nobody has asked to go without. */
export function missingProtection({ seclabels }: DomainXml, host: HostFacts): string[] {
  const { memory, pids, devices } = host.controllers
  const isOff = seclabels.some(({ type }) => type === 'none')
  const asked = seclabels.flatMap(({ type, model }) =>
    type === 'static' && model !== undefined ? model : [],
  )
  return [
    ...(host.seccomp ? [] : ["the kernel's filter of system calls, seccomp"]),
    ...(memory === undefined ? ['a limit of its memory'] : []),
    ...(pids === undefined ? ['a limit of its processes'] : []),
    ...(devices === undefined ? ['a policy for devices'] : []),
    ...(host.apparmor === 'without-profiles' && !isOff ? ["AppArmor's profiles for LXC"] : []),
    ...(host.apparmor !== 'ready' && asked.includes('apparmor') ? ['AppArmor'] : []),
    ...(!host.selinux && asked.includes('selinux') ? ['SELinux'] : []),
  ]
}

/** Whether a user or group of a container, such as its root, is root's outside. */
export function isPrivileged(document: DomainXml): boolean {
  const { uids = [], gids = [] } = document.idmap ?? {}
  if (hasIdmap(document)) return [...uids, ...gids].some(({ target }) => target === 0)
  return containerOptions(document).privileged
}

function capabilityLines({ features }: DomainXml, preset: ContainerPreset): ConfigLine[] {
  const { policy = 'default', ...states } = features?.capabilities ?? {}
  const named = (wanted: boolean) =>
    Object.entries(states)
      .filter(([, state]) => state === wanted)
      .map(([key]) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))
  if (policy === 'deny') return [['lxc.cap.keep', named(true).join(' ') || 'none']]
  const kept = new Set(named(true))
  const refused = named(false)
  if (policy === 'default' && preset === 'application') {
    const keep = [...applicationCapabilities, ...kept].filter((each) => !refused.includes(each))
    return [['lxc.cap.keep', [...new Set(keep)].sort().join(' ') || 'none']]
  }
  const always = policy === 'default' ? droppedCapabilities : []
  const dropped = new Set([...always.filter((each) => !kept.has(each)), ...refused])
  return dropped.size === 0 ? [] : [['lxc.cap.drop', [...dropped].sort().join(' ')]]
}

/** liblxc fails where the kernel has AppArmor and its profiles are not installed. */
function apparmorLines(document: DomainXml, host: HostFacts): ConfigLine[] {
  if (host.apparmor === 'absent') return []
  const isOff = document.seclabels.some(({ type }) => type === 'none')
  if (isOff || host.apparmor === 'without-profiles') return [['lxc.apparmor.profile', 'unconfined']]
  const label = staticLabel(document, 'apparmor')
  return label === undefined ? [] : [['lxc.apparmor.profile', label]]
}

function selinuxLines(document: DomainXml, host: HostFacts): ConfigLine[] {
  const label = staticLabel(document, 'selinux')
  return label === undefined || !host.selinux ? [] : [['lxc.selinux.context', label]]
}

function staticLabel({ seclabels }: DomainXml, wanted: 'apparmor' | 'selinux'): string | undefined {
  return seclabels.find(({ type, model }) => type === 'static' && model === wanted)?.label
}
