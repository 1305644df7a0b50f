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

/** Whether a value without its memory has all that `wanted` has; an empty list and what is `undefined` want nothing. */
export function says(value: unknown, wanted: unknown): boolean {
  if (wanted === undefined) return true
  if (typeof wanted !== 'object' || wanted === null) return value === wanted
  if (Array.isArray(wanted) && wanted.length === 0) return true
  if (typeof value !== 'object' || value === null) return false
  const parts = value as Readonly<Record<string, unknown>>
  return Object.entries(wanted).every(([key, part]) => says(parts[key], part))
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
