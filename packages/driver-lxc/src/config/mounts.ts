import type { DomainXml, FilesystemXml } from '@covirt/xml'
import { type ConfigLine, mountField } from './config-lines.js'

/** The `<filesystem>` that is the container's root. */
export function rootFilesystem(document: DomainXml): FilesystemXml | undefined {
  return document.devices.filesystems.find((each) => each.target === '/')
}

/** The directory on the host that a `<filesystem>` shows; `undefined` for kinds that show none. */
export function sourceDirectory(filesystem: FilesystemXml): string | undefined {
  const isDirectory = filesystem.type === 'mount' || filesystem.type === 'bind'
  return isDirectory ? filesystem.source?.dir : overlayBase(filesystem)
}

/** The directory of the host that a template is, which changes never reach; `undefined` for other kinds. */
export function overlayBase(filesystem: FilesystemXml): string | undefined {
  return filesystem.type === 'template' ? filesystem.source?.name : undefined
}

/** The directory of the host that changes to a template are kept in; without it they go with the guest. */
export function changesDirectory(filesystem: FilesystemXml): string | undefined {
  return filesystem.type === 'template' ? filesystem.source?.dir : undefined
}

/** Where on the host a `<filesystem>` comes from: a directory, an image, a device; `undefined` for memory. */
export function sourcePath(filesystem: FilesystemXml): string | undefined {
  if (filesystem.type === 'file') return filesystem.source?.file
  return filesystem.type === 'block' ? filesystem.source?.dev : sourceDirectory(filesystem)
}

/** What the kernel shows of the host, and no container needs: files that nothing is in, and empty directories. */
const maskedFiles = ['kcore', 'keys', 'latency_stats', 'sched_debug', 'sysrq-trigger', 'timer_list']
const maskedDirectories = ['proc/acpi', 'proc/scsi', 'sys/firmware', 'sys/devices/virtual/powercap']

/**
 * The root file system, the kernel's own ones with what is hidden of them, and those in memory. All else comes from
 * {@link stagesOf}, and so does the root when this driver starts the container.
 */
export function mountLines(document: DomainXml): ConfigLine[] {
  const root = rootFilesystem(document)
  return [
    ['lxc.rootfs.path', `dir:${(root && sourcePath(root)) ?? ''}`],
    ...kernelLines(),
    ...document.devices.filesystems.flatMap(memoryLines),
  ]
}

/** The kernel's file systems, with what is hidden of them. */
export function kernelLines(): ConfigLine[] {
  return [
    ['lxc.mount.auto', 'cgroup:mixed proc:mixed sys:mixed'],
    ...maskedFiles.map((file) => mountEntry(`/dev/null proc/${file} none bind,optional`)),
    ...maskedDirectories.map((directory) =>
      mountEntry(`tmpfs ${directory} tmpfs ro,nosuid,nodev,noexec,size=4k,mode=555,optional`),
    ),
  ]
}

function memoryLines(filesystem: FilesystemXml): ConfigLine[] {
  if (filesystem.type !== 'ram') return []
  const access = filesystem.readonly ? ['ro'] : []
  const options = [`size=${filesystem.source?.usageKib}k`, 'nosuid', 'nodev', ...access, 'create=dir']
  return [mountEntry(`tmpfs ${targetField(filesystem)} tmpfs ${options.join(',')}`)]
}

/** Relative: liblxc takes it below the root then, and follows no link out of it. */
export function targetField({ target }: FilesystemXml): string {
  return mountField(target.replace(/^\/+/, ''))
}

function mountEntry(text: string): ConfigLine {
  return ['lxc.mount.entry', `${text} 0 0`]
}
