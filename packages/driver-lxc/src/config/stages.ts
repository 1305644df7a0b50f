import type { DomainXml, FilesystemXml } from '@covirt/xml'
import type { Stage } from '../native.js'
import { changesDirectory, overlayBase, sourceDirectory, targetField } from './mounts.js'

/**
 * The file systems that are made ready before the container starts. Where it has ids of its own, owners are on disk
 * as its users see them; with `<idmap>` only where `accessmode='mapped'` asks for that.
 *
 * @param ephemeral where changes to the template with this index go that nobody keeps
 */
export function stagesOf(
  document: DomainXml,
  { ownIds, ephemeral }: { readonly ownIds: boolean; readonly ephemeral: (index: number) => string },
): Stage[] {
  return document.devices.filesystems.flatMap((filesystem, index): Stage[] => {
    const source = sourceDirectory(filesystem)
    if (source === undefined) return []
    const place = {
      target: targetField(filesystem),
      readonly: filesystem.readonly === true,
      owners: ownersOf(filesystem, ownIds),
    }
    if (overlayBase(filesystem) === undefined) return [{ ...place, kind: 'tree', source }]
    const writable = changesDirectory(filesystem) ?? ephemeral(index)
    return [{ ...place, kind: 'overlay', source, writable }]
  })
}

function ownersOf({ accessMode, target }: FilesystemXml, ownIds: boolean): Stage['owners'] {
  if (accessMode === 'mapped') return 'mapped'
  if (!ownIds) return 'unmapped'
  return target === '/' ? 'mapped' : 'mapped-if-possible'
}
