import { type DomainMetadata, VirError } from '@covirt/core'
import { type DomainXml, newElement, readXml, withMetadata, type XmlElement } from '@covirt/xml'

/** The document as `change` wants it. `INVALID_ARG` where it cannot be so. */
export function changeMetadata(document: DomainXml, change: DomainMetadata): DomainXml {
  switch (change.kind) {
    case 'title':
      if (change.text?.includes('\n')) throw invalid('The title of a domain is one line')
      return { ...document, title: change.text || undefined }
    case 'description':
      return { ...document, description: change.text || undefined }
    case 'element': {
      if (change.namespace === '') throw invalid('The namespace of the metadata is empty')
      const element = change.xml === undefined ? undefined : inNamespace(change.xml, change)
      return withMetadata(document, change.namespace, element)
    }
  }
}

/** What of a document {@link changeMetadata} changes. */
export function metadataOf({
  title,
  description,
  metadata,
}: DomainXml): Pick<DomainXml, 'title' | 'description' | 'metadata'> {
  return { title, description, metadata }
}

const prefixPattern = /^[A-Za-z_][\w.-]*$/

function inNamespace(
  xml: string,
  { namespace, prefix }: { readonly namespace: string; readonly prefix: string },
): XmlElement {
  if (!prefixPattern.test(prefix)) throw invalid(`'${prefix}' is no prefix of a namespace`)
  const { root } = readXml(xml)
  const name = `${prefix}:${root.name.slice(root.name.indexOf(':') + 1)}`
  const declaration = `xmlns:${prefix}`
  const attributes = root.attributes.filter((attribute) => attribute.name !== declaration)
  const { attributes: added } = newElement(name, { [declaration]: namespace })
  return { kind: 'element', name, attributes: [...added, ...attributes], children: root.children }
}

function invalid(message: string): VirError {
  return new VirError('INVALID_ARG', message, { domain: 'DOM' })
}
