import { type DomainXml, formatDomain } from '@covirt/xml'
import { redactSecrets } from './redact-secrets.js'

/** How a document is shown. */
export interface TextOptions {
  /** Of the guest, where it is the document of one. */
  readonly id: number | undefined
  /** With passwords. */
  readonly secure: boolean
}

/** The texts of documents. A document never changes, so that it is written once and then known. */
export class DocumentTexts {
  readonly #texts = new WeakMap<DomainXml, Map<string, string>>()

  of(document: DomainXml, { id, secure }: TextOptions): string {
    const texts = this.#texts.get(document) ?? new Map<string, string>()
    this.#texts.set(document, texts)
    const key = `${id} ${secure}`
    const known = texts.get(key)
    if (known !== undefined) return known
    const whole = id === undefined ? document : { ...document, id }
    const text = formatDomain(secure ? whole : redactSecrets(whole))
    texts.set(key, text)
    return text
  }
}
