import { VirError } from '@covirt/core'
import { domainCapabilitiesOf } from './capabilities/index.js'
import {
  attributeOf,
  elementsOf,
  firstElementOf,
  newElement,
  readXml,
  textOf,
  writeXml,
  type XmlElement,
} from './tree/index.js'

/** By what a document names its domain, as far as it does. */
interface NamedDomain {
  /** The `type` of the `<domain>`. */
  readonly type: string | undefined
  readonly name: string | undefined
  /** Lower case, with dashes. */
  readonly uuid: string | undefined
}

/** What `covirt:///` must know of documents to choose among drivers: the `HostDocuments` of @covirt/driver-host. */
export const hostDocuments = {
  domainCapabilitiesOf,
  /** Who a `<domain>` document is about. `XML_ERROR` where it is not one. Checks nothing else. */
  identify: (xml: string): NamedDomain => {
    const root = rootOf(xml, 'domain')
    const type = attributeOf(root, 'type')
    return { type, name: childText(root, 'name'), uuid: canonicalUuid(childText(root, 'uuid')) }
  },
  /** One `<capabilities>` document: the host of the first, the guests of all. */
  mergeCapabilities: (documents: readonly string[]): string => {
    const [first, ...others] = documents.map((document) => readXml(document))
    if (!first) return writeXml(newElement('capabilities', {}, [newElement('host')]))
    const guests = others.flatMap(({ root }) => elementsOf(root, 'guest'))
    return writeXml({ ...first, root: { ...first.root, children: [...first.root.children, ...guests] } })
  },
}

/** The `<title>` of a domain document; empty where it has none. */
export function titleOf(xml: string): string {
  return childText(rootOf(xml, 'domain'), 'title') ?? ''
}

function rootOf(xml: string, name: string): XmlElement {
  const { root } = readXml(xml)
  if (root.name === name) return root
  throw new VirError('XML_ERROR', `the root element is <${root.name}>, not <${name}>`, { domain: 'XML' })
}

function childText(root: XmlElement, name: string): string | undefined {
  const element = firstElementOf(root, name)
  return element && textOf(element).trim()
}

/** libvirt accepts uuids in either case, with dashes anywhere or nowhere. What is none is left to the driver. */
function canonicalUuid(text: string | undefined): string | undefined {
  const digits = text?.toLowerCase().replace(/[-\s]/g, '')
  if (digits === undefined || !/^[0-9a-f]{32}$/.test(digits)) return undefined
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
