import type { DomainXml, FilesystemXml } from '@covirt/xml'
import { type ConfigLine, mountField } from './config-lines.js'

/** The `<filesystem>` that is the container's root. */
export function rootFilesystem(document: DomainXml): FilesystemXml | undefined {
  return document.devices.filesystems.find((each) => each.target === '/')
}

/** The directory on the host that a `<filesystem>` shows; `undefined` for kinds that show none. */
export function sourceDirectory(filesystem: FilesystemXml): string | undefined {
  const isDirectory = filesystem.type === 'mount' || filesystem.type === 'bind'
  return isDirectory ? filesystem.source?.dir : undefined
}

/**
 * The root file system, the kernel's own ones, and all else that is mounted. A mount point that the root lacks
 * is made by liblxc.
 *
 * @param sourceFiles those of the sources that are no directories
 */
export function mountLines(document: DomainXml, sourceFiles: ReadonlySet<string>): ConfigLine[] {
  const root = rootFilesystem(document)
  return [
    ['lxc.rootfs.path', `dir:${(root && sourceDirectory(root)) ?? ''}`],
    ...(root?.readonly ? [['lxc.rootfs.options', 'ro'] as const] : []),
    ['lxc.mount.auto', 'cgroup:mixed proc:mixed sys:mixed'],
    ...document.devices.filesystems
      .filter((each) => each !== root)
      .map((each): ConfigLine => ['lxc.mount.entry', mountEntry(each, sourceFiles)]),
  ]
}

function mountEntry(filesystem: FilesystemXml, sourceFiles: ReadonlySet<string>): string {
  // Relative: liblxc takes it below the root then, and follows no link out of it.
  const target = mountField(filesystem.target.replace(/^\/+/, ''))
  const access = filesystem.readonly ? ['ro'] : []
  if (filesystem.type === 'ram') {
    const size = `size=${filesystem.source?.usageKib}k`
    return `tmpfs ${target} tmpfs ${[size, 'nosuid', 'nodev', ...access, 'create=dir'].join(',')} 0 0`
  }
  const source = sourceDirectory(filesystem) ?? ''
  const create = sourceFiles.has(source) ? 'create=file' : 'create=dir'
  return `${mountField(source)} ${target} none ${['rbind', ...access, create].join(',')} 0 0`
}
