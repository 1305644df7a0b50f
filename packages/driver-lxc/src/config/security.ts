import type { DomainXml } from '@covirt/xml'
import type { HostFacts } from '../host/host-facts.js'
import type { ConfigLine } from './config-lines.js'

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

/** What the container may do: capabilities, system calls, ids, AppArmor. */
export function securityLines(document: DomainXml, host: HostFacts): ConfigLine[] {
  return [
    ...capabilityLines(document),
    ...(host.seccompProfile === undefined ? [] : [['lxc.seccomp.profile', host.seccompProfile] as const]),
    ...apparmorLines(document, host),
    ...idmapLines(document),
  ]
}

/** What would protect the host from the container and is not to be had here, though nobody has asked to go without. */
export function missingProtection({ seclabels }: DomainXml, host: HostFacts): string[] {
  const isOff = seclabels.some(({ type }) => type === 'none')
  return [
    ...(host.seccompProfile === undefined ? ["liblxc's seccomp profile, common.seccomp"] : []),
    ...(host.apparmor === 'without-profiles' && !isOff ? ["AppArmor's profiles for LXC"] : []),
  ]
}

function capabilityLines({ features }: DomainXml): ConfigLine[] {
  const { policy = 'default', ...states } = features?.capabilities ?? {}
  const named = (wanted: boolean) =>
    Object.entries(states)
      .filter(([, state]) => state === wanted)
      .map(([key]) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))
  if (policy === 'deny') return [['lxc.cap.keep', named(true).join(' ') || 'none']]
  const kept = new Set(named(true))
  const always = policy === 'default' ? droppedCapabilities : []
  const dropped = new Set([...always.filter((each) => !kept.has(each)), ...named(false)])
  return dropped.size === 0 ? [] : [['lxc.cap.drop', [...dropped].sort().join(' ')]]
}

/** liblxc fails where the kernel has AppArmor and its profiles are not installed. */
function apparmorLines({ seclabels }: DomainXml, host: HostFacts): ConfigLine[] {
  if (host.apparmor === 'absent') return []
  const isOff = seclabels.some(({ type }) => type === 'none')
  return isOff || host.apparmor === 'without-profiles' ? [['lxc.apparmor.profile', 'unconfined']] : []
}

function idmapLines({ idmap }: DomainXml): ConfigLine[] {
  const lines = (kind: 'u' | 'g', ranges: readonly { start: number; target: number; count: number }[]) =>
    ranges.map(({ start, target, count }): ConfigLine => ['lxc.idmap', `${kind} ${start} ${target} ${count}`])
  return [...lines('u', idmap?.uids ?? []), ...lines('g', idmap?.gids ?? [])]
}
