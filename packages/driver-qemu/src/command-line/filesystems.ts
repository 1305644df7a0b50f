import type { DomainXml, FilesystemXml } from '@covirt/xml'
import { absolute, device, keyval, malformed, unsupported } from './arguments.js'
import { type Machine, virtio } from './machine.js'
import { pciPlacement } from './pci-address.js'

/** What virtiofs takes (virtio specification, 5.11.4). */
const maxTagBytes = 36

/** `<filesystem>`: a directory that a virtiofsd serves, which somebody else has started. */
export function filesystemArguments(
  filesystem: FilesystemXml,
  alias: string,
  { domain, machine }: { readonly domain: DomainXml; readonly machine: Machine },
): string[] {
  const { driver, target, readonly } = filesystem
  if (filesystem.type !== 'mount' || driver?.type !== 'virtiofs')
    throw unsupported('<filesystem> but for virtiofs', "Say <driver type='virtiofs'/>")
  const { dir, socket } = filesystem.source ?? {}
  if (socket === undefined)
    throw unsupported(
      `<filesystem> with <source dir='${dir ?? ''}'>`,
      "Start virtiofsd for the directory, and say <source socket='PATH'/>",
    )
  if (readonly)
    throw unsupported('<filesystem><readonly>', 'Let virtiofsd, or the guest, keep it from being written to')
  if (Buffer.byteLength(target) > maxTagBytes)
    throw malformed(`<filesystem><target dir='${target}'>: the tag has more than ${maxTagBytes} bytes`)
  const { source, access } = domain.memoryBacking ?? {}
  if (source !== 'memfd' || access !== 'shared')
    throw malformed(
      '<filesystem>: virtiofsd has to see the memory of the guest',
      "Say <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>",
    )
  const path = absolute(socket, '<filesystem><source>')
  const name = virtio(machine, 'fs').replace(/^virtio/, 'vhost-user')
  return [
    ...keyval('-chardev', 'socket', { id: `char${alias}`, path }),
    ...device(name, alias, {
      chardev: `char${alias}`,
      tag: target,
      'queue-size': driver.queue,
      ...pciPlacement(filesystem.address, machine),
    }),
  ]
}
