import type { ChangeOptions } from './change-options.js'

/**
 * A change of what a domain's document says for people and programs other than the driver. Without `text` or `xml`
 * it is removed.
 * - `title`: one line; `description`: any text.
 * - `element`: the element of one namespace below `<metadata>`. `xml` is one element, which is put into the namespace
 *   as it is, with `prefix` before its name.
 */
export type DomainMetadata =
  | { readonly kind: 'title' | 'description'; readonly text?: string | undefined }
  | {
      readonly kind: 'element'
      readonly namespace: string
      readonly prefix: string
      readonly xml?: string | undefined
    }

/** Which of a domain's documents is changed. */
export type MetadataOptions = ChangeOptions
