import { attributeOf, firstElementOf, textOf, type XmlElement } from '../tree/nodes.js'
import type { ElementCodec, Field, Presence } from './codec.js'
import type { Replacement } from './draft.js'
import { type Origin, originOf } from './origin.js'
import { type Path, ValueProblem } from './path.js'
import type { Scalar } from './scalar.js'

/** An attribute. */
export function attr<T>(name: string, scalar: Scalar<T>): Field<T, T, 'optional'> {
  return {
    presence: 'optional',
    place: `@${name}`,
    read(element, { path }) {
      const value = attributeOf(element, name)
      return value === undefined ? undefined : at(path, name, () => scalar.read(value))
    },
    write(value, old, draft, { path }) {
      if (value === old) return
      draft.setAttribute(name, value === undefined ? undefined : at(path, name, () => scalar.write(value)))
    },
  }
}

/** The text of the element. Empty text is none, as in libvirt. */
export function text<T>(scalar: Scalar<T>): Field<T, T, 'optional'> {
  return {
    presence: 'optional',
    place: 'text()',
    read(element, { path }) {
      const value = textOf(element)
      return value === '' ? undefined : at(path, undefined, () => scalar.read(value))
    },
    write(value, old, draft, { path }) {
      if (value === old) return
      draft.setText(value === undefined ? undefined : at(path, undefined, () => scalar.write(value)))
    },
  }
}

/** The first child element of this name; further ones are kept but not read, as in libvirt. */
export function child<Out, In>(name: string, codec: ElementCodec<Out, In>): Field<Out, In, 'optional'> {
  return {
    presence: 'optional',
    place: name,
    elementName: name,
    codec,
    read(element, context) {
      const found = firstElementOf(element, name)
      return found === undefined ? undefined : within(context.path, name, () => codec.read(found, context))
    },
    write(value, old, draft, context) {
      if (value === old) return
      const [from] = draft.elements(name)
      const olds = from === undefined ? [] : [from]
      if (value === undefined) return draft.arrange(name, olds, [])
      const base = from === undefined ? undefined : { element: from, value: old }
      const element = within(context.path, name, () =>
        codec.write(name, value, base, draft.childIndent, context),
      )
      draft.arrange(name, olds, [{ element, from }])
    },
  }
}

/** An element that says something by being there. `false` and absence are the same; it reads as `true` only. */
export function flag(name: string): Field<boolean, boolean, 'optional'> {
  return {
    presence: 'optional',
    place: name,
    elementName: name,
    read: (element) => (firstElementOf(element, name) === undefined ? undefined : true),
    write(value, old, draft) {
      if ((value === true) === (old === true)) return
      const [from] = draft.elements(name)
      const olds = from === undefined ? [] : [from]
      const element: XmlElement = { kind: 'element', name, attributes: [], children: [] }
      draft.arrange(name, olds, value === true ? [{ element }] : [])
    },
  }
}

/** All child elements of this name, in document order. */
export function children<Out, In>(
  name: string,
  codec: ElementCodec<Out, In>,
): Field<readonly Out[], readonly In[], 'always'> {
  return {
    presence: 'always',
    place: name,
    elementName: name,
    codec,
    read(element, context) {
      const values: Out[] = []
      for (const node of element.children) {
        if (node.kind !== 'element' || node.name !== name) continue
        const { path } = context
        path.enter(`${name}[${values.length + 1}]`)
        const value = codec.read(node, context)
        if (value === undefined) throw path.error(undefined, 'is empty')
        values.push(value)
        path.leave()
      }
      return Object.freeze(values)
    },
    write(given, old, draft, context) {
      if (given === old) return
      const values = given ?? []
      const olds = draft.elements(name)
      const oldValues = Array.isArray(old) && old.length === olds.length ? old : []
      const bases = pair(values, oldValues, olds)
      const items = values.map((value, index): Replacement => {
        const base = bases[index]
        context.path.enter(`${name}[${index + 1}]`)
        const element = codec.write(name, value, base, draft.childIndent, context)
        context.path.leave()
        return { element, from: base?.element }
      })
      draft.arrange(name, olds, items)
    },
  }
}

/** A child element that reads as an empty one where there is none. */
export function always<Out, In>(name: string, codec: ElementCodec<Out, In>): Field<Out, In, 'always'> {
  const field = child(name, codec)
  const nothing: XmlElement = { kind: 'element', name, attributes: [], children: [] }
  return {
    ...field,
    presence: 'always',
    read: (...args) => field.read(...args) ?? codec.read(nothing, args[1]),
  }
}

/** The same field, which must be there. */
export function required<Out, In>(field: Field<Out, In, Presence>): Field<Out, In, 'required'> {
  return { ...field, presence: 'required' }
}

/**
 * Which old element each new value goes on from. Objects know it themselves. Plain values (arguments, names)
 * do not: each takes an equal one, and where the number is the same as before, the one in its place.
 */
function pair(
  values: readonly unknown[],
  oldValues: readonly unknown[],
  olds: readonly XmlElement[],
): readonly (Origin | undefined)[] {
  const free = new Map<unknown, number[]>()
  for (const [index, element] of olds.entries()) {
    const value = oldValues[index]
    const key = typeof value === 'object' && originOf(value) !== undefined ? element : value
    const places = free.get(key)
    if (places === undefined) free.set(key, [index])
    else places.push(index)
  }
  for (const places of free.values()) places.reverse()
  return values.map((value, index) => {
    const from = originOf(value)
    if (typeof value === 'object' && from === undefined) return undefined
    let place = free.get(from?.element ?? value)?.pop()
    if (place === undefined && from === undefined && values.length === olds.length) place = index
    const element = place === undefined ? undefined : olds[place]
    return element === undefined || place === undefined ? undefined : { element, value: oldValues[place] }
  })
}

function within<T>(path: Path, step: string, run: () => T): T {
  path.enter(step)
  const result = run()
  path.leave()
  return result
}

/** Runs `run`; a problem with the value becomes an error that says where. */
export function at<T>(path: Path, attribute: string | undefined, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof ValueProblem) throw path.error(attribute, error.message, error.hint)
    if (error instanceof TypeError) throw new TypeError(path.error(attribute, error.message).message)
    throw error
  }
}
