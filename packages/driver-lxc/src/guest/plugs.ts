import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { decodeKernelPath, VirError } from '@covirt/core'
import type { DeviceKind, DeviceXml, DomainXml, FilesystemXml } from '@covirt/xml'
import type { ConfigLine } from '../config/config-lines.js'
import { hostDevices } from '../config/host-devices.js'
import { idmapValues } from '../config/idmap.js'
import { isStandardDevice } from '../config/limits.js'
import { sourcePath } from '../config/mounts.js'
import { hostLinkLines, hostLinks, linkLines, liveLinkNames } from '../config/network.js'
import { isPlainDefault } from '../config/routes.js'
import { memoryStage, stagesOf } from '../config/stages.js'
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

/**
 * How a device that a running container has is taken away: as much as has to be remembered of it, since by then the
 * host may have it no more, or as something else.
 */
export type Plug =
  | { readonly kind: 'link'; readonly words: readonly ConfigLine[] }
  | {
      readonly kind: 'mount'
      readonly target: string
      /** What is on there, and how. */
      readonly shows: readonly string[]
      /** It goes while it is in use. */
      readonly lazy: boolean
      /** What it may do with the device, in the words of devices.allow. */
      readonly rule?: string | undefined
    }

/** By {@link keyOf}. */
export type Plugs = ReadonlyMap<string, Plug>

/** The kind of a device and its alias. */
export function keyOf(kind: DeviceKind, device: DeviceXml): string {
  return `${kind} ${'alias' in device ? device.alias : ''}`
}

/** How it is given. */
export interface PlugIn {
  readonly plug: Plug
  readonly stage?: Stage | undefined
  readonly idmaps: readonly string[]
}

/** A device of a document. */
export interface PlugPlace {
  readonly kind: DeviceKind
  readonly index: number
}

/**
 * How the container of a live document has this device; `undefined` for one of another kind. A link that the document
 * gives no name is not known in the container.
 *
 * @param numbers `MAJOR:MINOR` of devices, by their paths
 */
export function plugOf(
  document: DomainXml,
  { kind, index }: PlugPlace,
  numbers: ReadonlyMap<string, string>,
): Plug | undefined {
  const only = onlyDevice(document, kind, index)
  const [link] = only.devices.interfaces
  if (link) return { kind: 'link', words: linkLines(link, liveLinkNames(link)) }
  const [hostLink] = hostLinks(only)
  if (hostLink !== undefined) return { kind: 'link', words: hostLinkLines(hostLink) }
  const [device] = hostDevices(only)
  if (device) {
    const number = numbers.get(device.source)
    return {
      kind: 'mount',
      target: device.source,
      shows: [device.kind],
      lazy: true,
      ...(number !== undefined && { rule: `${device.kind} ${number} rwm` }),
    }
  }
  const [filesystem] = only.devices.filesystems
  if (!filesystem) return undefined
  const { target, type, readonly: isReadonly, accessMode = '' } = filesystem
  const what = filesystem.type === 'ram' ? `${filesystem.source?.usageKib}k` : sourcePath(filesystem)
  const shows = [type ?? '', what ?? '', isReadonly ? 'ro' : 'rw', accessMode]
  return { kind: 'mount', target, shows, lazy: false }
}

/** `OPERATION_UNSUPPORTED` for a device that running containers neither get nor lose. */
export function requirePlug(
  document: DomainXml,
  place: PlugPlace,
  numbers: ReadonlyMap<string, string> = new Map(),
): Plug {
  const filesystem = place.kind === 'filesystems' ? document.devices.filesystems[place.index] : undefined
  if (filesystem) requirePluggable(filesystem)
  const plug = plugOf(document, place, numbers)
  if (plug) return plug
  throw unsupported('Devices of this kind stay as they are while it runs')
}

/**
 * How the container is given this device: as {@link requirePlug}, and `OPERATION_FAILED` where what it names is not on
 * the host.
 */
export async function plugInOf(
  document: DomainXml,
  place: PlugPlace,
  { ownIds }: { readonly ownIds: boolean },
): Promise<PlugIn> {
  requirePlug(document, place)
  const only = onlyDevice(document, place.kind, place.index)
  if (!only.devices.interfaces.every(({ routes }) => routes.every(isPlainDefault)))
    throw unsupported('Routes but for the default one are set as a container starts')
  const [hostLink] = hostLinks(only)
  // Others end with the namespace that they are in.
  if (hostLink !== undefined && existsSync(`/sys/class/net/${hostLink}`) && !isDeviceOfHost(hostLink))
    throw unsupported(`The link ${hostLink} is no device: it would end with the container`)
  const plug = requirePlug(document, place, await findOnHost(only))
  const images = await rawImages(only, new Map())
  const [memory] = only.devices.filesystems.flatMap((each) => memoryStage(each) ?? [])
  const [stage = memory] = stagesOf(only, { ownIds, images, lxcfs: new Map(), ephemeral: () => '' })
  return { plug, stage, idmaps: idmapValues(document) }
}

function isDeviceOfHost(link: string): boolean {
  return existsSync(`/sys/class/net/${link}/device`)
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
export async function plugIn(
  container: Container,
  { plug, stage, idmaps }: PlugIn,
  signal?: AbortSignal,
): Promise<void> {
  if (plug.kind === 'link') return addLink(container, plug.words, { signal })
  const { target, rule } = plug
  if (!stage) throw new TypeError('There is nothing to mount')
  if (rule !== undefined) await allow(container, rule)
  try {
    await addMount(container, { target, stage, idmaps }, { signal })
  } catch (error) {
    if (rule !== undefined) await deny(container, rule)
    throw error
  }
}

/** Of a link: it is known which one it is in the container. */
export function isKnown(plug: Plug): boolean {
  return plug.kind !== 'link' || wordOf(plug.words, 'name') !== ''
}

/** `OPERATION_UNSUPPORTED` for a link that is not {@link isKnown}. */
export function requireKnown(plug: Plug): void {
  if (isKnown(plug)) return
  throw new VirError('OPERATION_UNSUPPORTED', 'Which network link of the container this is cannot be told', {
    domain: 'LXC',
    hint: 'Its configuration has other links than it was started with: shut it down and start it',
  })
}

/** What has gone already stays so; a link that the container has under another name has not. */
export async function plugOut(container: Container, plug: Plug): Promise<void> {
  requireKnown(plug)
  try {
    if (plug.kind === 'link') return await removeLink(container, plug.words)
    await removeMount(container, plug.target, { lazily: plug.lazy })
  } catch (error) {
    if (!(error instanceof LxcError && error.code === 'ENODEV')) throw error
    if (plug.kind === 'link' && !isGone(plug.words)) throw renamed(plug.words, error)
  }
  if (plug.kind === 'mount' && plug.rule !== undefined) await deny(container, plug.rule)
}

/** Of a link that is not in the container under its name. The end of a pair on the host has a name that it cannot change; where that is known, the link was looked for by it. */
function isGone(words: readonly ConfigLine[]): boolean {
  const type = wordOf(words, 'type')
  if (type === 'veth') return wordOf(words, 'veth.pair') !== ''
  return type === 'phys' && isDeviceOfHost(wordOf(words, 'link'))
}

/** That a link is not in the container under the name that it was given. */
export function renamed(words: readonly ConfigLine[], cause: LxcError): VirError {
  const name = wordOf(words, 'name')
  return new VirError('OPERATION_FAILED', `The container has renamed or removed its network link ${name}`, {
    domain: 'LXC',
    hint: "Give it its name again in there; the end of the container gives back what is the host's",
    cause,
  })
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
  const targets = new Set(mountinfo.split('\n').map((line) => decodeKernelPath(line.split(' ')[4] ?? '')))
  return {
    has: (plug) =>
      plug.kind === 'link'
        ? names.has(wordOf(plug.words, 'name'))
        : targets.has(plug.target.replace(/(.)\/+$/, '$1')),
  }
}

/** Whether both are one device, but for what is changed while it is there. */
export function isSamePlug(a: Plug, b: Plug): boolean {
  return JSON.stringify(withoutChangeable(a)) === JSON.stringify(withoutChangeable(b))
}

function withoutChangeable(plug: Plug): Plug {
  if (plug.kind === 'mount') return { ...plug, rule: undefined }
  const isPair = wordOf(plug.words, 'type') === 'veth'
  const words = plug.words.filter(([key]) => key !== 'flags' && !(isPair && key === 'link'))
  return { kind: 'link', words }
}

/** The first word of this key of a link; '' where it has none. */
export function wordOf(words: readonly ConfigLine[], key: string): string {
  return words.find(([each]) => each === key)?.[1] ?? ''
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
    throw unsupported('What shows a qcow2 image is begun before the container that it ends with')
  if (target === '/') throw unsupported('The root file system stays as it is while it runs')
  if (type === 'template')
    throw unsupported(
      'That nobody else changes a template, or what is changed of it, is seen to at the start',
    )
}

function unsupported(message: string): VirError {
  return new VirError('OPERATION_UNSUPPORTED', message, {
    domain: 'LXC',
    hint: 'Change the definition alone (--config): the next start uses it',
  })
}
