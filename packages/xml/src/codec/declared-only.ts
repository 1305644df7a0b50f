import { elementsOf, type XmlElement } from '../tree/nodes.js'
import type { AnyCodec } from './codec.js'
import { Path } from './path.js'

/**
 * Refuses, with `XML_ERROR`, what is not declared below `element`: for elements of our own, where an unknown word
 * is a slip and not something that a newer program has added. Names with a prefix are others' and are let be.
 */
export function requireDeclared(element: XmlElement, codec: AnyCodec, steps: readonly string[]): void {
  const path = new Path()
  for (const step of steps) path.enter(step)
  checkElement(element, codec, path)
}

function checkElement(element: XmlElement, codec: AnyCodec, path: Path): void {
  const fields = [...codec.fields()].map(([, field]) => field)
  const attributes = fields.filter(({ place }) => place.startsWith('@')).map(({ place }) => place.slice(1))
  for (const { name } of element.attributes) {
    if (name === 'xmlns' || name.includes(':') || attributes.includes(name)) continue
    throw path.error(name, 'is not known here', knownAre(attributes))
  }
  const children = new Map(fields.map((field) => [field.elementName, field]))
  for (const child of elementsOf(element)) {
    if (child.name.includes(':')) continue
    const field = children.get(child.name)
    if (field === undefined) {
      const names = [...children.keys()].filter((name) => name !== undefined)
      throw path.error(undefined, `<${child.name}> is not known here`, knownAre(names))
    }
    if (field.codec === undefined) continue
    path.enter(child.name)
    checkElement(child, field.codec, path)
    path.leave()
  }
}

function knownAre(names: readonly string[]): string {
  return names.length === 0 ? 'Nothing is known there.' : `Known are: ${names.join(', ')}.`
}
