import { decodeKernelPath } from '@covirt/core'
import type { DomainInput } from '@covirt/xml'
import { NativeLines, parseConfig } from './native-lines.js'

type FilesystemInput = NonNullable<NonNullable<DomainInput['devices']>['filesystems']>[number]

/** The root and what is mounted in it; what the XML has no words for is left where it was. Without a root, none. */
export function nativeFilesystems(lines: NativeLines): FilesystemInput[] {
  const path = lines.last('lxc.rootfs.path')
  if (path === undefined) return []
  const options = (lines.last('lxc.rootfs.options') ?? '').split(',')
  const root = rootOf(path)
  const entries = lines.all('lxc.mount.entry')
  const mounts = entries.map((line) => ({ line, filesystem: mountOf(line[1], sourceOf(path)) }))
  lines.restore(mounts.filter(({ filesystem }) => !filesystem).map(({ line }) => line))
  return [
    {
      ...root,
      ...(options.includes('idmap=container') ? { accessMode: 'mapped' as const } : {}),
      ...(options.includes('ro') ? { readonly: true } : {}),
    },
    ...mounts.flatMap(({ filesystem }) => filesystem ?? []),
  ]
}

/**
 * The directory with the changes of an overlaid root, where a definition would not find them again: they are in `data`
 * of another directory there.
 */
export function foreignChanges(text: string): string | undefined {
  const path = new NativeLines(parseConfig(text)).last('lxc.rootfs.path') ?? ''
  const upper = /^overlay(?:fs)?:.*:([^:]*)$/.exec(path)?.[1]
  return upper?.endsWith('/data') && path.split(':').length === 3 ? undefined : upper
}

function sourceOf(path: string): string {
  return /^[a-z]+:(.*)$/.exec(path)?.[1] ?? path
}

/** liblxc's kinds of storage (lxc.container.conf(5)). */
function rootOf(path: string): FilesystemInput {
  const [, kind = 'dir', source = path] = /^([a-z]+):(.*)$/.exec(path) ?? []
  if (kind === 'overlay' || kind === 'overlayfs') {
    const [name = '', ...rest] = source.split(':')
    const upper = rest.at(-1)
    // Changes are in `data` of the directory here; one that does not end so is named all the same, not left out.
    const dir = upper?.replace(/(?<=.)\/data$/, '')
    return { type: 'template', source: { name, ...(dir === undefined ? {} : { dir }) }, target: '/' }
  }
  if (kind === 'loop' || kind === 'nbd')
    return {
      type: 'file',
      driver: { type: kind, ...(kind === 'loop' ? { format: 'raw' as const } : {}) },
      source: { file: source },
      target: '/',
    }
  if (kind === 'lvm' || kind === 'rbd' || source.startsWith('/dev/'))
    return { type: 'block', source: { dev: source }, target: '/' }
  return { type: 'mount', source: { dir: source }, target: '/' }
}

/** A line of fstab(5) that binds something of the host, or is memory; `undefined` for others. */
function mountOf(text: string, root: string): FilesystemInput | undefined {
  const [source = '', inside = '', type = '', optionText = ''] = text
    .trim()
    .split(/\s+/)
    .map(decodeKernelPath)
  const options = optionText.split(',')
  const target = inside.startsWith(`${root}/`) ? inside.slice(root.length) : `/${inside.replace(/^\/+/, '')}`
  const readonly = options.includes('ro') ? { readonly: true } : {}
  if (options.includes('optional')) return undefined
  if (options.includes('bind') || options.includes('rbind')) {
    const isOfHost = source.startsWith('/') && !/^\/(?:dev|proc|sys)(?:\/|$)/.test(source)
    return isOfHost ? { type: 'mount', source: { dir: source }, target, ...readonly } : undefined
  }
  const size = /^size=(\d+)([kmg]?)$/.exec(options.find((each) => each.startsWith('size=')) ?? '')
  if (type !== 'tmpfs' || !size) return undefined
  const factors: Readonly<Record<string, bigint>> = { k: 1024n, m: 1024n ** 2n, g: 1024n ** 3n }
  const usageKib = (BigInt(size[1] ?? '0') * (factors[size[2] ?? ''] ?? 1n)) / 1024n
  return { type: 'ram', source: { usageKib }, target, ...readonly }
}
