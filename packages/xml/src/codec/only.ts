import { textOf, type XmlElement } from '../tree/nodes.js'
import type { AnyField, ElementCodec, Field, Presence } from './codec.js'
import { Draft } from './draft.js'
import { attr, text } from './fields.js'
import { childOrder } from './record.js'
import { type Scalar, string } from './scalar.js'

/** An element of which one field is of interest and stands for the element: `<name>web</name>` is `'web'`. */
export function only<Out, In>(field: Field<Out, In, Presence>): ElementCodec<Out, In> {
  const fields = [['', field as AnyField]] as const
  const order = childOrder(fields)
  return {
    fields: () => fields,
    read(element, context) {
      const value = field.read(element, context)
      if (value !== undefined) context.seen?.(field as AnyField)
      return value
    },
    write(name, value, base, indent, context) {
      const draft = new Draft(name, base?.element, order, indent)
      field.write(value, base?.value, draft, context)
      return draft.build()
    },
  }
}

/** `<name>VALUE</name>` as its value. */
export function textOnly<T>(scalar: Scalar<T>): ElementCodec<T> {
  return only(text(scalar))
}

/** `<name>TEXT</name>` as its text, also where that is empty: an argument of a program, for instance. */
export const anyText: ElementCodec<string> = only({ ...text(string), read: (element) => textOf(element) })

/** `<mac address='VALUE'/>` as its value. */
export function attrOnly<T>(name: string, scalar: Scalar<T>): ElementCodec<T> {
  return only(attr(name, scalar))
}

/** An element kept whole, with everything below it. */
export const raw: ElementCodec<XmlElement> = {
  fields: () => [],
  read: (element) => element,
  write: (name, value) => (value.name === name ? value : { ...value, name }),
}
