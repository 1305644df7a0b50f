import { originOf } from '../codec/origin.js'
import { attributeOf, elementsOf, isSpace, newElement, newText, type XmlElement } from '../tree/nodes.js'

interface WithMetadata {
  readonly metadata?: XmlElement | undefined
}

/** The element of `namespace` in a domain's `<metadata>`, whatever its prefix. */
export function metadataElement(domain: WithMetadata, namespace: string): XmlElement | undefined {
  const { metadata } = domain
  if (metadata === undefined) return undefined
  const root = originOf(domain)?.element
  const scopes = root === undefined ? [metadata] : [metadata, root]
  return elementsOf(metadata).find((element) => namespaceOf(element, scopes) === namespace)
}

/**
 * The domain with `element` as the metadata of `namespace`, in place of the former; without `element`, with
 * none. The element must declare its namespace itself, so that it can be read apart from the document.
 */
export function withMetadata<D extends WithMetadata>(domain: D, namespace: string, element?: XmlElement): D {
  if (element !== undefined && namespaceOf(element, []) !== namespace) {
    throw new TypeError(`<${element.name}> does not declare the namespace ${namespace}`)
  }
  const old = metadataElement(domain, namespace)
  if (old === undefined && element === undefined) return domain
  const metadata = domain.metadata ?? newElement('metadata')
  const children = [...metadata.children]
  const at = old === undefined ? -1 : children.indexOf(old)
  if (element === undefined) {
    const spaced = isSpace(children[at - 1])
    children.splice(spaced ? at - 1 : at, spaced ? 2 : 1)
  } else if (at !== -1) children.splice(at, 1, element)
  else {
    if (isSpace(children.at(-1))) children.pop()
    children.push(newText('\n    '), element, newText('\n  '))
  }
  return { ...domain, metadata: children.every(isSpace) ? undefined : { ...metadata, children } }
}

function namespaceOf(element: XmlElement, scopes: readonly XmlElement[]): string | undefined {
  const colon = element.name.indexOf(':')
  const declaration = colon === -1 ? 'xmlns' : `xmlns:${element.name.slice(0, colon)}`
  for (const scope of [element, ...scopes]) {
    const uri = attributeOf(scope, declaration)
    if (uri !== undefined) return uri
  }
  return undefined
}
