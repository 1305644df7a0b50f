import type { XmlElement } from '../tree/nodes.js'
import type { Draft } from './draft.js'
import type { Origin } from './origin.js'
import type { Path } from './path.js'

/** What a reading carries along. */
export interface ReadContext {
  readonly path: Path
  /** Told of every declared field that a document has. */
  readonly seen?: (field: AnyField) => void
}

/** What a writing carries along. */
export interface WriteContext {
  readonly path: Path
}

/**
 * One kind of element: reads it to a value, writes a value to it. `Out` is what reading gives; `In` is what
 * writing takes, where lists may be left out.
 */
export interface ElementCodec<Out, In = Out> {
  /** The value; `undefined` for an element that says nothing, which libvirt treats as absent. */
  read(element: XmlElement, context: ReadContext): Out | undefined
  /**
   * The element for `value`. `base` is the element that stands in its place, with the value that was read from
   * it; what is not declared is taken over from the value's own origin or else from there. `indent` is the line
   * break and white space in front of the element, empty in a document without.
   */
  write(name: string, value: In, base: Origin | undefined, indent: string, context: WriteContext): XmlElement
  /** The declared fields below this element, by the name that they have in the value. */
  fields(): Iterable<readonly [string, AnyField]>
}

/**
 * How a field stands in its value: `required` must be in the document; `always` is in what is read, empty where
 * the document has nothing, and may be left out of what is written; `optional` may be absent in both.
 */
export type Presence = 'required' | 'optional' | 'always'

/** One field of a value: where in the element it is and how it reads and writes. */
export interface Field<Out, In = Out, P extends Presence = Presence> {
  readonly presence: P
  /** Where in the element: `@name`, `name`, `text()`. */
  readonly place: string
  /** The name of the child elements that it owns. */
  readonly elementName?: string
  /** The declaration of those child elements. */
  readonly codec?: AnyCodec
  read(element: XmlElement, context: ReadContext): Out | undefined
  /** Brings `draft` from `old`, which the draft's element had, to `value`. */
  write(value: In | undefined, old: unknown, draft: Draft, context: WriteContext): void
}

export type AnyCodec = ElementCodec<unknown, never>
export type AnyField = Field<unknown, never>
export type Shape = Readonly<Record<string, AnyField>>

type Keys<S extends Shape, P extends Presence> = {
  [K in keyof S]: S[K]['presence'] extends P ? K : never
}[keyof S]

type FieldOut<F> = F extends { read(element: XmlElement, context: ReadContext): infer Out }
  ? Exclude<Out, undefined>
  : never
type FieldIn<F> = F extends {
  write(value: infer In, old: unknown, draft: Draft, context: WriteContext): void
}
  ? Exclude<In, undefined>
  : never

type Flat<T> = { [K in keyof T]: T[K] } & {}

/** The value that an element of this shape reads to. */
export type ShapeOut<S extends Shape> = Flat<
  { readonly [K in Keys<S, 'required' | 'always'>]: FieldOut<S[K]> } & {
    readonly [K in Keys<S, 'optional'>]?: FieldOut<S[K]> | undefined
  }
>

/** The value that an element of this shape is written from. */
export type ShapeIn<S extends Shape> = Flat<
  { readonly [K in Keys<S, 'required'>]: FieldIn<S[K]> } & {
    readonly [K in Keys<S, 'optional' | 'always'>]?: FieldIn<S[K]> | undefined
  }
>

/** The type that a declaration reads to. */
export type Output<C> = C extends { read(element: XmlElement, context: ReadContext): infer Out }
  ? Exclude<Out, undefined>
  : never

/** The type that a declaration is written from: {@link Output} with lists optional. */
export type Input<C> = C extends {
  write(
    name: string,
    value: infer In,
    base: Origin | undefined,
    indent: string,
    context: WriteContext,
  ): XmlElement
}
  ? In
  : never
