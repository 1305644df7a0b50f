import type { XmlElement, XmlTree } from '../tree/nodes.js'
import { withoutSource } from '../tree/nodes.js'

/**
 * The property, own and enumerable so that `{ ...disk, readonly: true }` keeps it, by which a value remembers
 * the element it was read from, and with it all that is not declared. `JSON.stringify`, `Object.keys` and
 * `structuredClone` do not see it; where comparisons do, compare {@link plain} values.
 */
export const origin = Symbol('covirt.xml.origin')

export interface Origin {
  readonly element: XmlElement
  /** The value that was read from it. */
  readonly value: unknown
  /** The declaration that read it. */
  readonly codec?: unknown
  /** The document around it, where it is the root. */
  readonly tree?: XmlTree
}

export function originOf(value: unknown): Origin | undefined {
  return typeof value === 'object' && value !== null
    ? (value as { readonly [origin]?: Origin })[origin]
    : undefined
}

/** A deep copy of a value without its memory of a document: for comparisons, and to start afresh. */
export function plain<T>(value: T): T {
  return strip(value) as T
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip)
  if (typeof value !== 'object' || value === null) return value
  if (isElement(value)) return withoutSource(value)
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .map(([key, part]) => [key, strip(part)]),
  )
}

function isElement(value: object): value is XmlElement {
  return 'kind' in value && value.kind === 'element' && 'children' in value && 'attributes' in value
}
