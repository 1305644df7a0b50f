import { attributeOf, type XmlElement } from '../tree/nodes.js'
import type { AnyField, ElementCodec, Field, Shape, ShapeIn, ShapeOut } from './codec.js'
import { Draft } from './draft.js'
import { attr } from './fields.js'
import { childOrder, originFor, readFields, writeFields } from './record.js'
import { string } from './scalar.js'

type Merge<C, V> = Omit<C, keyof V> & V
type Flat<T> = { [K in keyof T]: T[K] } & {}
type Fields = readonly (readonly [string, AnyField])[]
type Variants = Readonly<Record<string, Shape>>

/** A kind that is not declared, for example of a newer libvirt. */
interface Other {
  readonly type: 'other'
  readonly otherType: string
}

type UnionOut<C extends Shape, V extends Variants> =
  | { [K in keyof V & string]: Flat<{ readonly type: K } & ShapeOut<Merge<C, V[K]>>> }[keyof V & string]
  | Flat<Other & ShapeOut<C>>

type UnionIn<C extends Shape, V extends Variants> =
  | { [K in keyof V & string]: Flat<{ readonly type: K } & ShapeIn<Merge<C, V[K]>>> }[keyof V & string]
  | Flat<Other & ShapeIn<C>>

/**
 * An element whose attribute `type` picks which fields it has beside the `common` ones. A field of a variant
 * stands at the place of the common one with the same name. Without the attribute the element is of kind
 * `absent`. One of an undeclared kind has the common fields, reads as `type: 'other'` and says in `otherType`
 * what stands there; so a switch over `type` stays exhaustive, and nothing is lost.
 */
export function union<C extends Shape, V extends Variants>(
  absent: keyof V & string,
  common: C,
  variants: V,
): ElementCodec<UnionOut<C, V>, UnionIn<C, V>> {
  const typeOf = (element: XmlElement): string => attributeOf(element, 'type')?.trim() ?? absent
  const known: Field<string, string, 'optional'> = { ...attr('type', string), read: typeOf }
  const unknown: Field<string, string, 'optional'> = {
    ...attr('type', string),
    read: () => 'other',
    write: () => {},
  }
  const other = Object.entries<AnyField>({ type: unknown, otherType: known, ...common })
  const byType = new Map(
    Object.entries(variants).map(([type, shape]) => [
      type,
      Object.entries({ type: known, ...common, ...shape }),
    ]),
  )
  const orders = new Map<Fields, ReadonlyMap<string, number>>(
    [...byType.values(), other].map((fields) => [fields, childOrder(fields)]),
  )
  const fieldsOf = (type: unknown): Fields => byType.get(String(type)) ?? other

  const codec: ElementCodec<UnionOut<C, V>, UnionIn<C, V>> = {
    *fields() {
      yield* other
      for (const [type, fields] of byType) {
        for (const [key, field] of fields) {
          if (common[key] !== field && field !== known) yield [`${key} (type='${type}')`, field]
        }
      }
    },
    read: (element, context) =>
      readFields(fieldsOf(typeOf(element)), element, context, codec) as UnionOut<C, V>,
    write(name, value, base, indent, context) {
      const from = originFor(codec, value, base)
      if (from?.value === value && from.element.name === name) return from.element
      const values = value as Readonly<Record<string, unknown>>
      const fields = fieldsOf(values.type ?? absent)
      const draft = new Draft(name, from?.element, orders.get(fields) ?? new Map(), indent)
      const old = { ...(from?.value as Readonly<Record<string, unknown>> | undefined) }
      const now = new Map(fields)
      // What only the former kind declared must not stay behind as if it were foreign.
      for (const [key, field] of from === undefined ? [] : fieldsOf(old.type)) {
        if (now.get(key) === field) continue
        field.write(undefined, old[key], draft, context)
        delete old[key]
      }
      writeFields(fields, values, old, draft, context)
      return draft.build()
    },
  }
  return codec
}
