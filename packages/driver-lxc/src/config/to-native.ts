import type { DomainXml } from '@covirt/xml'
import type { HostFacts } from '../host/host-facts.js'
import type { Stage } from '../native.js'
import { type ConfigLine, formatConfig, mountField } from './config-lines.js'
import { containerOptions } from './container-options.js'
import { initLines } from './init.js'
import { hostNameLines, timeLines } from './liblxc-config.js'
import { limitLines } from './limits.js'
import { mountLines } from './mounts.js'
import { networkLines } from './network.js'
import { securityLines } from './security.js'
import { stagesOf } from './stages.js'

const seccompFile = '/usr/share/lxc/config/common.seccomp'

/**
 * The configuration with which liblxc's own tools run a container much as this driver does. What the driver adds of its
 * own (where its log and its control groups are, its filter of system calls) is not in it.
 *
 * @param document live: with the ids that the container has
 */
export function toNative(
  document: DomainXml,
  { host, ownIds }: { readonly host: HostFacts; readonly ownIds: boolean },
): string {
  const ephemeral = (index: number) => `/var/lib/lxc/${document.name}/changes${index}`
  const stages = stagesOf(document, { ownIds, ephemeral, images: new Map(), lxcfs: new Map() })
  const root = stages.find(({ target }) => target === '')
  return formatConfig([
    ...hostNameLines(document),
    ...mountLines(document).filter(([key]) => key !== 'lxc.rootfs.path'),
    ...(root === undefined ? [] : rootLines(root)),
    ...stages.filter((stage) => stage !== root).map(entryLine),
    ...initLines(document),
    ...networkLines(document),
    ...limitLines(document, host, new Map()),
    ...securityLines(document, { host, seccompFile }),
    ...timeLines(document),
    ...containerOptions(document).options,
  ])
}

function rootLines(root: Stage): ConfigLine[] {
  const options = [
    ...(root.readonly ? ['ro'] : []),
    ...(root.owners === 'unmapped' ? [] : ['idmap=container']),
  ]
  return [
    [
      'lxc.rootfs.path',
      root.kind === 'overlay' ? `overlay:${root.source}:${root.writable}/data` : `dir:${root.source}`,
    ],
    ...(options.length === 0 ? [] : [['lxc.rootfs.options', options.join(',')] as const]),
  ]
}

function entryLine({ source, target, readonly, owners }: Stage): ConfigLine {
  const options = [
    'rbind',
    ...(readonly ? ['ro'] : []),
    ...(owners === 'unmapped' ? [] : ['idmap=container']),
    'create=dir',
  ]
  return ['lxc.mount.entry', `${mountField(source)} ${target} none ${options.join(',')} 0 0`]
}
