import type { Input, Output } from '../codec/codec.js'
import { formatDocument, type ParseOptions, parseDocument } from '../codec/document.js'
import {
  attr,
  child,
  children,
  integer,
  oneOf,
  openSet,
  record,
  required,
  string,
  textOnly,
} from '../codec/index.js'
import { domain } from '../domain/domain.js'

const place = oneOf('no', 'internal', 'external', 'manual')

/** libvirt's `<domainsnapshot>` (https://libvirt.org/formatsnapshot.html). */
export const snapshot = record({
  name: child('name', textOnly(string)),
  description: child('description', textOnly(string)),
  state: child('state', textOnly(openSet('running', 'paused', 'shutoff', 'disk-snapshot'))),
  /** Seconds since 1970. */
  creationTime: child('creationTime', textOnly(integer(0, Number.MAX_SAFE_INTEGER))),
  parent: child('parent', record({ name: required(child('name', textOnly(string))) })),
  memory: child('memory', record({ snapshot: attr('snapshot', place), file: attr('file', string) })),
  disks: child(
    'disks',
    record({
      disks: children(
        'disk',
        record({ name: required(attr('name', string)), snapshot: attr('snapshot', place) }),
      ),
    }),
  ),
  /** The definition at that time. */
  domain: child('domain', domain),
})

export type SnapshotXml = Output<typeof snapshot>

/** What a document can be written from: {@link SnapshotXml} with lists optional. */
export type SnapshotInput = Input<typeof snapshot>

/** Reads a `<domainsnapshot>` document; errors as of a domain's. */
export function parseSnapshot(xml: string | Uint8Array, options?: ParseOptions): SnapshotXml {
  return parseDocument('domainsnapshot', snapshot, xml, options)
}

/** The document of a snapshot. */
export function formatSnapshot(value: SnapshotInput): string {
  return formatDocument('domainsnapshot', snapshot, value)
}
