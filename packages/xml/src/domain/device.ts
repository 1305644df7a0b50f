import { VirError } from '@covirt/core'
import { type ParseOptions, parseDocument } from '../codec/document.js'
import { readXml } from '../tree/read-xml.js'
import { type DevicesXml, devices } from './devices.js'
import type { DomainXml } from './domain.js'

/** The kinds of devices that a domain may have any number of, by their lists in `<devices>`. */
export type DeviceKind = {
  [K in keyof DevicesXml]-?: NonNullable<DevicesXml[K]> extends readonly unknown[] ? K : never
}[keyof DevicesXml]

/** One device, whatever its kind. */
export type DeviceXml = DevicesXml[DeviceKind][number]

/** One device, with its kind. */
export interface DomainDevice {
  readonly kind: DeviceKind
  readonly device: DeviceXml
}

const lists = [...devices.fields()].filter(([, field]) => field.presence === 'always')

/** The kinds of devices that a domain may have any number of. */
export const deviceKinds = lists.map(([kind]) => kind as DeviceKind)

/**
 * Reads one device: an element as it stands in `<devices>`. `XML_ERROR` where it is none of those that a domain may have
 * any number of, and as `parseDomain` does.
 */
export function parseDevice(xml: string | Uint8Array, options: ParseOptions = {}): DomainDevice {
  const { name } = readXml(xml, options.limits).root
  const [kind, field] = lists.find(([, { elementName }]) => elementName === name) ?? []
  if (kind === undefined || field?.codec === undefined)
    throw new VirError('XML_ERROR', `<${name}> is no device that can be added or removed`, {
      domain: 'XML',
      hint: `There are: ${lists.map(([, { elementName }]) => `<${elementName}>`).join(', ')}`,
    })
  return { kind: kind as DeviceKind, device: parseDocument(name, field.codec as never, xml, options) }
}

/** The element of a device, as {@link parseDevice} reads it. */
export function deviceElementName(kind: DeviceKind): string {
  return lists.find(([each]) => each === kind)?.[1].elementName ?? kind
}

/** The devices of one kind. */
export function devicesOf(document: DomainXml, kind: DeviceKind): readonly DeviceXml[] {
  return document.devices[kind]
}

/** The document with these as its devices of this kind. */
export function withDevices(document: DomainXml, kind: DeviceKind, list: readonly DeviceXml[]): DomainXml {
  return { ...document, devices: { ...document.devices, [kind]: list } }
}
