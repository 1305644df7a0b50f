import type { DomainXml, FilesystemXml } from '@covirt/xml'
import type { Stage } from '../native.js'
import { sourceDirectory, targetField } from './mounts.js'

/**
 * The file systems that are made ready before the container starts. Where it has ids of its own, owners are on disk
 * as its users see them; with `<idmap>` only where `accessmode='mapped'` asks for that.
 */
export function stagesOf(document: DomainXml, { ownIds }: { readonly ownIds: boolean }): Stage[] {
  return document.devices.filesystems.flatMap((filesystem): Stage[] => {
    const source = sourceDirectory(filesystem)
    if (source === undefined) return []
    const place = {
      target: targetField(filesystem),
      readonly: filesystem.readonly === true,
      owners: ownersOf(filesystem, ownIds),
    }
    return [{ ...place, kind: 'tree', source }]
  })
}

function ownersOf({ accessMode, target }: FilesystemXml, ownIds: boolean): Stage['owners'] {
  if (accessMode === 'mapped') return 'mapped'
  if (!ownIds) return 'unmapped'
  return target === '/' ? 'mapped' : 'mapped-if-possible'
}
