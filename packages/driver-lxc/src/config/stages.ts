import type { DomainXml, FilesystemXml } from '@covirt/xml'
import type { RawImage } from '../host/image-type.js'
import type { Stage } from '../native.js'
import { mountField } from './config-lines.js'
import { hostDevices } from './host-devices.js'
import { changesDirectory, overlayBase, sourcePath, targetField } from './mounts.js'

/** What stages depend on besides the definition. */
export interface StageContext {
  /** The container has ids of its own. */
  readonly ownIds: boolean
  /** What is in images and on block devices, by their paths. */
  readonly images: ReadonlyMap<string, RawImage>
  /** Files of lxcfs, each by its path below the root and in the container. */
  readonly lxcfs: ReadonlyMap<string, string>
  /** Where changes to the template with this index go that nobody keeps. */
  readonly ephemeral: (index: number) => string
}

/**
 * The file systems that are made ready before the container starts. Where it has ids of its own, owners are on disk
 * as its users see them; with `<idmap>` only where `accessmode='mapped'` asks for that.
 */
export function stagesOf(document: DomainXml, { ownIds, images, lxcfs, ephemeral }: StageContext): Stage[] {
  return [
    ...document.devices.filesystems.flatMap((filesystem, index): Stage[] => {
      const source = sourcePath(filesystem)
      if (source === undefined) return []
      const place = {
        target: targetField(filesystem),
        readonly: filesystem.readonly === true,
        owners: ownersOf(filesystem, ownIds),
      }
      if (overlayBase(filesystem) !== undefined) {
        const writable = changesDirectory(filesystem) ?? ephemeral(index)
        return [{ ...place, kind: 'overlay', source, writable }]
      }
      if (filesystem.type !== 'file' && filesystem.type !== 'block')
        return [{ ...place, kind: 'tree', source }]
      const { path, fileSystem } = images.get(source) ?? { path: source, fileSystem: 'ext4' }
      return [{ ...place, kind: 'image', source: path, fileSystem }]
    }),
    ...hostDevices(document).map(
      ({ source }): Stage => ({
        target: mountField(source.slice(1)),
        readonly: false,
        owners: 'unmapped',
        kind: 'device',
        source,
      }),
    ),
    ...[...lxcfs].map(
      ([target, source]): Stage => ({ target, readonly: false, owners: 'unmapped', kind: 'tree', source }),
    ),
  ]
}

/** A `<filesystem type='ram'>` for a container that runs; at its start it is liblxc that mounts it. */
export function memoryStage(filesystem: FilesystemXml): Stage | undefined {
  if (filesystem.type !== 'ram') return undefined
  return {
    target: targetField(filesystem),
    readonly: filesystem.readonly === true,
    owners: 'unmapped',
    kind: 'memory',
    source: `${filesystem.source?.usageKib}k`,
  }
}

function ownersOf({ accessMode, target }: FilesystemXml, ownIds: boolean): Stage['owners'] {
  if (accessMode === 'mapped') return 'mapped'
  if (!ownIds) return 'unmapped'
  return target === '/' ? 'mapped' : 'mapped-if-possible'
}
