import { VirError } from '@covirt/core'
import { type DomainInput, newElement, type XmlElement } from '@covirt/xml'
import type { ConfigLine } from './config-lines.js'
import { containerNamespace, isOwnKey } from './container-options.js'
import { foreignChanges, nativeFilesystems } from './from-native-filesystems.js'
import { nativeInterfaces } from './from-native-network.js'
import { nativeTuning } from './from-native-tuning.js'
import { standardDeviceLines } from './limits.js'
import { kernelLines } from './mounts.js'
import { NativeLines, parseConfig } from './native-lines.js'

/** What a native configuration does not tell. */
export interface NativeDefaults {
  /** The container's name, where the configuration has no host name. */
  readonly name?: string | undefined
  /** Its memory, where the configuration has no limit: the host's. */
  readonly memoryKib: bigint
}

/** A definition made of a native configuration. */
export interface FromNative {
  readonly document: DomainInput
  /** Lines that the definition does not tell: the driver decides what they are about, or has no word for them. */
  readonly omitted: readonly ConfigLine[]
}

/**
 * The definition of a container of liblxc's own tools, by its configuration (lxc.container.conf(5)); included files
 * are not read. Depends on its arguments alone. What libvirt's XML has no words for is kept as options of our own.
 * `INVALID_ARG` where the text is no such configuration.
 */
export function fromNative(text: string, { name, memoryKib }: NativeDefaults): FromNative {
  const lines = new NativeLines(parseConfig(text))
  const hostName = lines.last('lxc.uts.name')
  const filesystems = nativeFilesystems(lines)
  if (filesystems.length === 0)
    throw new VirError('INVALID_ARG', 'The configuration has no lxc.rootfs.path', {
      domain: 'LXC',
      hint: 'That is the file config of a container, as lxc-create makes it',
    })
  const interfaces = nativeInterfaces(lines)
  const tuning = nativeTuning(lines)
  const arch = lines.last('lxc.arch')
  const init = nativeInit(lines)
  const security = nativeSecurity(lines)
  const { options, omitted } = divideRest(lines.rest())
  const privileged = security.idmap === undefined
  return {
    document: {
      type: 'lxc',
      name: name ?? hostName ?? 'container',
      ...metadataOf({ privileged, options, maxProcesses: tuning.maxProcesses }),
      ...tuning.elements,
      memoryKib: tuning.memoryKib ?? memoryKib,
      os: { type: { type: 'exe', ...(arch === undefined ? {} : { arch }) }, ...init },
      ...security,
      devices: { filesystems, ...interfaces, consoles: [{ type: 'pty', target: { type: 'lxc', port: 0 } }] },
    } as DomainInput,
    omitted,
  }
}

/**
 * As {@link fromNative}, of a container that is to be defined anew: `CONFIG_UNSUPPORTED` where its root would be
 * without the changes that it has.
 */
export function redefinition(text: string, defaults: NativeDefaults): DomainInput {
  const { document } = fromNative(text, defaults)
  requireNoChanges(text)
  return document
}

/** `CONFIG_UNSUPPORTED` where the root of a container is an overlay with changes in a place of liblxc's own. */
export function requireNoChanges(text: string): void {
  const changes = foreignChanges(text)
  if (changes === undefined) return
  throw new VirError('CONFIG_UNSUPPORTED', `The changes in ${changes} would not be seen any more`, {
    domain: 'LXC',
    hint: 'Copy the container to a directory first: lxc-copy -B dir',
  })
}

function nativeInit(lines: NativeLines): Partial<DomainInput['os']> {
  const [init, ...initArgs] = (
    lines.last('lxc.init.cmd') ??
    lines.last('lxc.execute.cmd') ??
    '/sbin/init'
  ).split(/\s+/)
  const initDir = lines.last('lxc.init.cwd')
  const initUser = lines.last('lxc.init.uid')
  const initGroup = lines.last('lxc.init.gid')
  const initEnv = lines.values('lxc.environment').flatMap((text) => {
    const [, name, value] = /^([^=\s]+)=(.*)$/s.exec(text) ?? []
    return name === undefined ? [] : [{ name, ...(value === '' ? {} : { value }) }]
  })
  return {
    ...(init === undefined ? {} : { init }),
    initArgs,
    initEnv,
    ...(initDir === undefined ? {} : { initDir }),
    ...(initUser === undefined ? {} : { initUser }),
    ...(initGroup === undefined ? {} : { initGroup }),
  }
}

function nativeSecurity(lines: NativeLines): Pick<DomainInput, 'idmap' | 'features' | 'seclabels'> {
  const idmap = nativeIdmap(lines)
  const apparmor = lines.last('lxc.apparmor.profile')
  const selinux = lines.last('lxc.selinux.context')
  const seclabels = [
    ...(apparmor === undefined || apparmor === 'generated'
      ? []
      : apparmor === 'unconfined'
        ? [{ type: 'none' as const, model: 'apparmor' as const }]
        : [{ type: 'static' as const, model: 'apparmor' as const, label: apparmor }]),
    ...(selinux === undefined
      ? []
      : [{ type: 'static' as const, model: 'selinux' as const, label: selinux }]),
  ]
  const features = nativeCapabilities(lines)
  return {
    ...(idmap && { idmap }),
    ...(features && { features }),
    ...(seclabels.length > 0 ? { seclabels } : {}),
  }
}

function nativeIdmap(lines: NativeLines): DomainInput['idmap'] {
  const ranges = { u: [], g: [] } as Record<'u' | 'g', { start: number; target: number; count: number }[]>
  for (const text of lines.values('lxc.idmap')) {
    const match = /^([ugb])\s+(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})$/.exec(text)
    if (!match) continue
    const range = { start: Number(match[2]), target: Number(match[3]), count: Number(match[4]) }
    if (match[1] !== 'g') ranges.u.push(range)
    if (match[1] !== 'u') ranges.g.push(range)
  }
  return ranges.u.length + ranges.g.length === 0 ? undefined : { uids: ranges.u, gids: ranges.g }
}

function nativeCapabilities(lines: NativeLines): DomainInput['features'] {
  const words = (key: string) => lines.values(key).flatMap((text) => text.split(/\s+/).filter(Boolean))
  const kept = words('lxc.cap.keep').filter((each) => each !== 'none')
  const dropped = words('lxc.cap.drop')
  const states = (names: readonly string[], state: boolean) =>
    Object.fromEntries(
      names.map((each) => [
        each.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
        state,
      ]),
    )
  if (kept.length > 0) return { capabilities: { policy: 'deny', ...states(kept, true) } }
  return dropped.length > 0 ? { capabilities: { policy: 'default', ...states(dropped, false) } } : undefined
}

/** What the driver itself sees to, in its own way. */
const seenTo =
  /^lxc\.(?:include$|tty\.|pty\.|console\.|log\.|ephemeral$|monitor\.|cgroup\.(?:dir|relative)|rootfs\.|signal\.|uts\.)/
const standardValues: ReadonlySet<string> = new Set(
  [
    ['lxc.seccomp.profile', '/usr/share/lxc/config/common.seccomp'],
    ...kernelLines(),
    ...standardDeviceLines(1),
    ...standardDeviceLines(2),
  ].map(([key, value]) => `${key}=${value}`),
)

function divideRest(
  rest: readonly ConfigLine[],
): Pick<FromNative, 'omitted'> & { readonly options: ConfigLine[] } {
  const isOption = ([key, value]: ConfigLine) =>
    !seenTo.test(key) &&
    !isOwnKey(key) &&
    !standardValues.has(`${key}=${value}`) &&
    /^lxc\.[\w.-]+$/.test(key)
  return { options: rest.filter(isOption), omitted: rest.filter((line) => !isOption(line)) }
}

function metadataOf({
  privileged,
  options,
  maxProcesses,
}: {
  readonly privileged: boolean
  readonly options: readonly ConfigLine[]
  readonly maxProcesses: number | undefined
}): { readonly metadata?: XmlElement } {
  const inner = [
    ...(privileged ? [newElement('covirt:privileged')] : []),
    ...(maxProcesses === undefined ? [] : [newElement('covirt:pids', { max: String(maxProcesses) })]),
    ...options.map(([name, value]) => newElement('covirt:option', { name, value })),
  ]
  if (inner.length === 0) return {}
  return {
    metadata: newElement('metadata', {}, [
      newElement('covirt:container', { 'xmlns:covirt': containerNamespace }, inner),
    ]),
  }
}
