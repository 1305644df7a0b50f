import type { DomainXml, IdmapXml } from '@covirt/xml'
import type { IdSpan } from '../host/subordinate-ids.js'
import type { ConfigLine } from './config-lines.js'
import { containerOptions } from './container-options.js'

/** Whether a container gets ids of its own: neither is it privileged nor does it say which ones. */
export function wantsOwnIds(document: DomainXml): boolean {
  return !hasIdmap(document) && !containerOptions(document).privileged
}

/** Whether a document says which ids of the host its container's are. */
export function hasIdmap({ idmap }: DomainXml): boolean {
  return idmap !== undefined && (idmap.uids.length > 0 || idmap.gids.length > 0)
}

/** As user_namespaces(7) has it: the last number of 32 bits stands for none. */
const idCount = 0xffff_ffff

/** What is wrong with the ids that a document gives its container. */
export function idmapMistake({ idmap }: DomainXml): string | undefined {
  if (idmap === undefined || idmap.uids.length + idmap.gids.length === 0) return undefined
  for (const [kind, ranges] of [['uid', idmap.uids] as const, ['gid', idmap.gids] as const]) {
    if (!ranges.some(({ start }) => start === 0)) return `it has no <${kind}> for the root of the container`
    if (ranges.some(({ start, target, count }) => count === 0 || Math.max(start, target) + count > idCount))
      return `a <${kind}> is of ids that there are not`
    for (const side of ['start', 'target'] as const) {
      const sorted = ranges.toSorted((a, b) => a[side] - b[side])
      if (sorted.some((range, index) => range[side] < end(sorted[index - 1], side)))
        return `two <${kind}> have the same ids`
    }
  }
  return undefined
}

function end(range: IdmapXml['uids'][number] | undefined, side: 'start' | 'target'): number {
  return range === undefined ? 0 : range[side] + range.count
}

/** `<idmap>` for a range of the container's own. */
export function idmapOf({ start, count }: IdSpan): IdmapXml {
  const range = { start: 0, target: start, count }
  return { uids: [range], gids: [range] }
}

/** The values of `lxc.idmap`. */
export function idmapValues({ idmap }: DomainXml): string[] {
  const values = (kind: 'u' | 'g', ranges: IdmapXml['uids']) =>
    ranges.map(({ start, target, count }) => `${kind} ${start} ${target} ${count}`)
  return [...values('u', idmap?.uids ?? []), ...values('g', idmap?.gids ?? [])]
}

export function idmapLines(document: DomainXml): ConfigLine[] {
  return idmapValues(document).map((value): ConfigLine => ['lxc.idmap', value])
}
