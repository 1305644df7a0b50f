/** One attribute, by its qualified name as written; `value` has its entities resolved. */
export interface XmlAttribute {
  readonly name: string
  readonly value: string
}

/** How an element was written in the document it was read from; it holds while the named parts are untouched. */
export interface ElementSource {
  readonly open: string
  readonly close: string
  readonly name: string
  readonly attributes: readonly XmlAttribute[]
  readonly children: readonly XmlNode[]
}

/**
 * An element with its attributes and children in document order. Immutable; changed copies may be made by
 * spreading. `source` makes untouched parts serialise exactly as they were written.
 */
export interface XmlElement {
  readonly kind: 'element'
  readonly name: string
  readonly attributes: readonly XmlAttribute[]
  readonly children: readonly XmlNode[]
  readonly source?: ElementSource
}

/** Text, a CDATA section or a comment; `value` is its content with entities resolved. */
export interface XmlCharacters {
  readonly kind: 'text' | 'cdata' | 'comment'
  readonly value: string
  readonly source?: { readonly markup: string; readonly value: string }
}

/** A processing instruction or the XML declaration, kept as written. */
export interface XmlInstruction {
  readonly kind: 'instruction'
  readonly markup: string
}

export type XmlNode = XmlElement | XmlCharacters | XmlInstruction

/** A whole document: what stands before the root element, the root, and what stands after it. */
export interface XmlTree {
  readonly prolog: readonly XmlNode[]
  readonly root: XmlElement
  readonly epilog: readonly XmlNode[]
}

/** A new element. `attributes` are written in the order of the object's keys; a string is a text child. */
export function newElement(
  name: string,
  attributes: Readonly<Record<string, string>> = {},
  children: readonly (XmlNode | string)[] = [],
): XmlElement {
  return {
    kind: 'element',
    name,
    attributes: Object.entries(attributes).map(([key, value]) => ({ name: key, value })),
    children: children.map((child) => (typeof child === 'string' ? newText(child) : child)),
  }
}

export function newText(value: string): XmlCharacters {
  return { kind: 'text', value }
}

/** The value of the attribute with this qualified name. */
export function attributeOf(element: XmlElement, name: string): string | undefined {
  for (const attribute of element.attributes) if (attribute.name === name) return attribute.value
  return undefined
}

/** The child elements, those with this qualified name where one is given. */
export function elementsOf(element: XmlElement, name?: string): readonly XmlElement[] {
  const found: XmlElement[] = []
  for (const child of element.children) {
    if (child.kind === 'element' && (name === undefined || child.name === name)) found.push(child)
  }
  return found
}

/** The first child element with this qualified name. */
export function firstElementOf(element: XmlElement, name: string): XmlElement | undefined {
  for (const child of element.children) if (child.kind === 'element' && child.name === name) return child
  return undefined
}

/** The text directly inside an element: text and CDATA, without that of its child elements. */
export function textOf(element: XmlElement): string {
  let text = ''
  for (const child of element.children)
    if (child.kind === 'text' || child.kind === 'cdata') text += child.value
  return text
}

/** Whether a node is nothing but white space between others. */
export function isSpace(node: XmlNode | undefined): node is XmlCharacters {
  return node?.kind === 'text' && node.source === undefined && /^[ \t\r\n]*$/.test(node.value)
}

/** The same content without any memory of how it was written. */
export function withoutSource(element: XmlElement): XmlElement {
  const { name, attributes, children } = element
  return {
    kind: 'element',
    name,
    attributes,
    children: children.map((child) => {
      if (child.kind === 'element') return withoutSource(child)
      return child.kind === 'instruction' ? child : { kind: child.kind, value: child.value }
    }),
  }
}
