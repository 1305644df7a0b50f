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
