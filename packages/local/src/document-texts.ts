import { type DomainXml, formatDomain } from '@covirt/xml'
import { redactSecrets } from './redact-secrets.js'

/** How a document is shown. */
export interface TextOptions {
  /** Of the guest, where it is the document of one. */
  readonly id: number | undefined
  /** With passwords. */
  readonly secure: boolean
}

const known = new WeakMap<DomainXml, Map<string, string>>()

/** The text of a document. A document never changes, so that it is written once and then known. */
export function documentText(document: DomainXml, { id, secure }: TextOptions): string {
  const texts = known.get(document) ?? new Map<string, string>()
  known.set(document, texts)
  const shown = secure ? document : redactSecrets(document)
  const key = `${id} ${shown === document}`
  let text = texts.get(key)
  if (text === undefined) {
    text = formatDomain(id === undefined ? shown : { ...shown, id })
    texts.set(key, text)
  }
  return text
}

/** The whole text of a document, as it is kept. */
export function storedText(document: DomainXml): string {
  return documentText(document, { id: undefined, secure: true })
}
