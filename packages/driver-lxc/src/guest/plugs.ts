import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { VirError } from '@covirt/core'
import type { DeviceKind, DomainXml, FilesystemXml } from '@covirt/xml'
import type { ConfigLine } from '../config/config-lines.js'
import { hostDevices } from '../config/host-devices.js'
import { idmapValues } from '../config/idmap.js'
import { isStandardDevice } from '../config/limits.js'
import { hostLinkLines, hostLinkName, hostLinks, linkLines } from '../config/network.js'
import { isPlainDefault } from '../config/routes.js'
import { stagesOf } from '../config/stages.js'
import { rawImages } from '../host/image-type.js'
import { findOnHost } from '../host/inspect-host.js'
import {
  addLink,
  addMount,
  type Container,
  interfaces,
  LxcError,
  removeLink,
  removeMount,
  type Stage,
  setCgroupItem,
} from '../native.js'

/** How a device that a running container has is taken away: as much as has to be remembered of one that it had. */
export type Plug =
  | { readonly kind: 'link'; readonly words: readonly ConfigLine[] }
  | {
      readonly kind: 'mount'
      readonly target: string
      /** It goes while it is in use. */
      readonly lazy: boolean
      /** What it may do with the device, in the words of devices.allow. */
      readonly rule?: string | undefined
    }

/** How it is given. */
export type PlugIn = Plug & { readonly stage?: Stage; readonly idmaps?: readonly string[] }

/**
 * How the container of a live document is given the only device of `devices`. `OPERATION_FAILED` where what it names is
 * not on the host, `OPERATION_UNSUPPORTED` where running containers do not get such devices.
 */
export async function plugOf(
  document: DomainXml,
  { kind, index, ownIds }: { readonly kind: DeviceKind; readonly index: number; readonly ownIds: boolean },
): Promise<PlugIn> {
  const only = onlyDevice(document, kind, index)
  if (kind === 'interfaces') {
    const [link] = only.devices.interfaces
    if (link && !link.routes.every(isPlainDefault))
      throw unsupported('Routes but for the default one are set as a container starts')
    if (link) return { kind: 'link', words: linkLines(link, index, hostLinkName(document, index)) }
  }
  const [hostLink] = hostLinks(only)
  if (hostLink !== undefined) {
    // Others end with the namespace that they are in.
    if (existsSync(`/sys/class/net/${hostLink}`) && !existsSync(`/sys/class/net/${hostLink}/device`))
      throw unsupported(`The link ${hostLink} is no device: it would end with the container`)
    return { kind: 'link', words: hostLinkLines(hostLink) }
  }
  const [device] = hostDevices(only)
  const [filesystem] = only.devices.filesystems
  if (filesystem) requirePluggable(filesystem)
  if (!device && !filesystem) throw unsupported('Devices of this kind stay as they are while it runs')
  const images = await rawImages(only, new Map())
  const [stage] = stagesOf(only, { ownIds, images, lxcfs: new Map(), ephemeral: () => '' })
  const numbers = device && (await findOnHost(only)).get(device.source)
  return {
    kind: 'mount',
    target: device?.source ?? filesystem?.target ?? '',
    lazy: device !== undefined,
    ...(device && { rule: `${device.kind} ${numbers} rwm` }),
    ...(stage && { stage }),
    idmaps: idmapValues(document),
  }
}

/** The document with none of what is plugged but this. */
export function onlyDevice(document: DomainXml, kind: DeviceKind, index: number): DomainXml {
  const { devices } = document
  const none = { interfaces: [], hostdevs: [], filesystems: [] }
  const list: readonly unknown[] = devices[kind]
  return {
    ...document,
    blkiotune: undefined,
    devices: { ...devices, ...none, [kind]: list.slice(index, index + 1) },
  }
}

/** All of it or nothing. */
export async function plugIn(container: Container, plug: PlugIn, signal?: AbortSignal): Promise<void> {
  if (plug.kind === 'link') return addLink(container, plug.words, { signal })
  const { target, stage, idmaps = [], rule } = plug
  if (!stage) throw new TypeError('There is nothing to mount')
  if (rule !== undefined) await allow(container, rule)
  try {
    await addMount(container, { target, stage, idmaps }, { signal })
  } catch (error) {
    if (rule !== undefined) await deny(container, rule)
    throw error
  }
}

/** What has gone already stays so. */
export async function plugOut(container: Container, plug: Plug): Promise<void> {
  try {
    if (plug.kind === 'link') return await removeLink(container, plug.words)
    await removeMount(container, plug.target, { lazily: plug.lazy })
  } catch (error) {
    if (!(error instanceof LxcError && error.code === 'ENODEV')) throw error
  }
  if (plug.kind === 'mount' && plug.rule !== undefined) await deny(container, plug.rule)
}

/** What a container has at this moment. */
export interface Plugged {
  has(plug: Plug): boolean
}

/** Looks at the container with this init. */
export async function lookPlugged(container: Container, initPid: number): Promise<Plugged> {
  const [links, mountinfo] = await Promise.all([
    interfaces(container),
    readFile(`/proc/${initPid}/mountinfo`, 'utf8'),
  ])
  const names = new Set(links.map(({ name }) => name))
  const targets = new Set(mountinfo.split('\n').map((line) => withoutEscapes(line.split(' ')[4] ?? '')))
  return {
    has: (plug) =>
      plug.kind === 'link'
        ? names.has(nameOf(plug.words))
        : targets.has(plug.target.replace(/(.)\/+$/, '$1')),
  }
}

/** Whether both are about the same place in the container. */
export function isSamePlug(a: Plug, b: Plug): boolean {
  if (a.kind === 'link' && b.kind === 'link') return nameOf(a.words) === nameOf(b.words)
  return a.kind === 'mount' && b.kind === 'mount' && a.target === b.target
}

function nameOf(words: readonly ConfigLine[]): string {
  return words.find(([key]) => key === 'name')?.[1] ?? ''
}

/** As mountinfo writes paths (proc_pid_mountinfo(5)). */
function withoutEscapes(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

async function allow(container: Container, rule: string): Promise<void> {
  await changeRule(container, 'devices.allow', rule)
}

/** Those that every container may use stay. */
async function deny(container: Container, rule: string): Promise<void> {
  if (!isStandardDevice(rule)) await changeRule(container, 'devices.deny', rule)
}

/** A host without such rules has let it do everything before. */
async function changeRule(container: Container, key: string, rule: string): Promise<void> {
  await setCgroupItem(container, key, rule).catch((error: unknown) => {
    if (!(error instanceof LxcError && error.code === 'ENOENT')) throw error
  })
}

function requirePluggable(filesystem: FilesystemXml): void {
  const { type, target } = filesystem
  if (type === 'file' && filesystem.driver?.format === 'qcow2')
    throw unsupported('A qcow2 image is shown when the container starts')
  if (target === '/') throw unsupported('The root file system stays as it is while it runs')
  if (type === 'ram' || type === 'template')
    throw unsupported(`A <filesystem type='${type}'> is mounted when the container starts`)
}

function unsupported(message: string): VirError {
  return new VirError('OPERATION_UNSUPPORTED', message, {
    domain: 'LXC',
    hint: 'Change the definition alone (--config): the next start uses it',
  })
}
