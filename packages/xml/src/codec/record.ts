import type { XmlElement } from '../tree/nodes.js'
import type { AnyField, ElementCodec, ReadContext, Shape, ShapeIn, ShapeOut, WriteContext } from './codec.js'
import { Draft } from './draft.js'
import { type Origin, origin, originOf } from './origin.js'

type Values = Readonly<Record<string, unknown>>

/** An element that reads to an object with one property per declared field. */
export function record<S extends Shape>(shape: S): ElementCodec<ShapeOut<S>, ShapeIn<S>> {
  const fields = Object.entries(shape)
  const order = childOrder(fields)
  const codec: ElementCodec<ShapeOut<S>, ShapeIn<S>> = {
    fields: () => fields,
    read: (element, context) => readFields(fields, element, context, codec) as ShapeOut<S>,
    write(name, value, base, indent, context) {
      const from = originFor(codec, value, base)
      if (from?.value === value && from.element.name === name) return from.element
      const draft = new Draft(name, from?.element, order, indent)
      writeFields(fields, value as Values, from?.value, draft, context)
      return draft.build()
    },
  }
  return codec
}

export function readFields(
  fields: readonly (readonly [string, AnyField])[],
  element: XmlElement,
  context: ReadContext,
  codec: unknown,
): Values {
  const value: Record<string, unknown> = {}
  for (const [key, field] of fields) {
    const part = field.read(element, context)
    if (part === undefined) {
      if (field.presence !== 'required') continue
      throw context.path.error(...missing(field))
    }
    if (context.seen !== undefined && isInDocument(part)) context.seen(field)
    value[key] = part
  }
  const link: Origin = { element, value, codec }
  Object.defineProperty(value, origin, { value: link, enumerable: true })
  return Object.freeze(value)
}

// Lists and `always` fields read as empty where the document has nothing.
function isInDocument(part: unknown): boolean {
  if (Array.isArray(part)) return part.length > 0
  const from = originOf(part)
  return from === undefined || from.element.source !== undefined
}

export function writeFields(
  fields: readonly (readonly [string, AnyField])[],
  value: Values,
  old: unknown,
  draft: Draft,
  context: WriteContext,
): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(context.path.error(undefined, 'the value is not an object').message)
  }
  const before = (typeof old === 'object' && old !== null ? old : {}) as Values
  for (const [key, field] of fields) {
    const part = value[key]
    if (part === undefined && field.presence === 'required') throw context.path.error(...missing(field))
    // A declaration and its value fit by construction; TypeScript cannot see it through the table.
    field.write(part as never, before[key], draft, context)
  }
}

/** The origin that a value goes on from: its own, where this declaration read it, or that of its place. */
export function originFor(codec: unknown, value: unknown, base: Origin | undefined): Origin | undefined {
  const own = originOf(value)
  return own?.codec === codec ? own : base
}

/** The place of each declared child element among the others. */
export function childOrder(fields: readonly (readonly [string, AnyField])[]): ReadonlyMap<string, number> {
  const order = new Map<string, number>()
  for (const [, { elementName }] of fields) {
    if (elementName !== undefined && !order.has(elementName)) order.set(elementName, order.size)
  }
  return order
}

function missing({ place, elementName }: AnyField): [string | undefined, string] {
  if (elementName !== undefined) return [undefined, `<${elementName}> is missing`]
  return place === 'text()'
    ? [undefined, 'its text is missing']
    : [undefined, `attribute ${place.slice(1)} is missing`]
}
