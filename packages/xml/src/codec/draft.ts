import { isSpace, newText, type XmlAttribute, type XmlElement, type XmlNode } from '../tree/nodes.js'

/** An element that one child of the draft is to become; `from` is the child it replaces. */
export interface Replacement {
  readonly element: XmlElement
  readonly from?: XmlElement | undefined
}

/**
 * An element being changed. Everything that is not asked for stays as and where it is: undeclared attributes
 * and children, comments, white space.
 */
export class Draft {
  readonly #base: XmlElement | undefined
  readonly #name: string
  readonly #order: ReadonlyMap<string, number>
  readonly #indent: string
  #attributes: readonly XmlAttribute[]
  #children: readonly XmlNode[]

  /** `order` is the place of each declared child element among the others. */
  constructor(
    name: string,
    base: XmlElement | undefined,
    order: ReadonlyMap<string, number>,
    indent: string,
  ) {
    this.#base = base
    this.#name = name
    this.#order = order
    this.#indent = indent
    this.#attributes = base?.attributes ?? []
    this.#children = base?.children ?? []
  }

  build(): XmlElement {
    const element = {
      kind: 'element',
      name: this.#name,
      attributes: this.#attributes,
      children: this.#children,
    } as const
    return this.#base?.source === undefined ? element : { ...element, source: this.#base.source }
  }

  /** What stands in front of each child: a line break and white space, or nothing in a dense document. */
  get childIndent(): string {
    let dense = false
    for (const [index, child] of this.#children.entries()) {
      if (child.kind !== 'element') continue
      const before = this.#children[index - 1]
      const space = isSpace(before) ? /\n[ \t]*$/.exec(before.value)?.[0] : undefined
      if (space !== undefined) return space
      dense = true
    }
    return dense || this.#indent === '' ? '' : `${this.#indent}  `
  }

  /** The child elements of this name as they now are. */
  elements(name: string): readonly XmlElement[] {
    return this.#children.filter(
      (child): child is XmlElement => child.kind === 'element' && child.name === name,
    )
  }

  setAttribute(name: string, value: string | undefined): void {
    const index = this.#attributes.findIndex((attribute) => attribute.name === name)
    if (value === undefined) {
      if (index !== -1) this.#attributes = this.#attributes.toSpliced(index, 1)
    } else if (index === -1) this.#attributes = [...this.#attributes, { name, value }]
    else if (this.#attributes[index]?.value !== value) {
      this.#attributes = this.#attributes.with(index, { name, value })
    }
  }

  /** Sets the text, which takes the place of the first text and removes further ones; comments stay. */
  setText(value: string | undefined): void {
    const isText = (node: XmlNode): boolean => node.kind === 'text' || node.kind === 'cdata'
    const first = this.#children.findIndex(isText)
    const others = this.#children.filter((node) => !isText(node))
    const text = value === undefined || value === '' ? [] : [newText(value)]
    this.#children = first === -1 ? [...text, ...others] : others.toSpliced(first, 0, ...text)
  }

  /**
   * Turns the children `olds` of one name into `items`. Where only contents differ, everything stays in its
   * place; what is new comes after its predecessor in the list, or where the declaration's order puts it.
   */
  arrange(name: string, olds: readonly XmlElement[], items: readonly Replacement[]): void {
    const kept = items.flatMap(({ from }) => (from === undefined ? [] : [from]))
    const keptSet = new Set<XmlNode>(kept)
    this.#remove(new Set<XmlNode>(olds.filter((old) => !keptSet.has(old))))
    this.#fill(
      keptSet,
      items.filter(({ from }) => from !== undefined).map(({ element }) => element),
    )
    this.#insertNew(name, items)
  }

  /** Puts `elements`, in their order, into the places of the elements `old`. */
  #fill(old: ReadonlySet<XmlNode>, elements: readonly XmlElement[]): void {
    let next = 0
    this.#children = this.#children.map((child) => (old.has(child) ? (elements[next++] ?? child) : child))
  }

  #remove(gone: ReadonlySet<XmlNode>): void {
    if (gone.size === 0) return
    const left: XmlNode[] = []
    for (const child of this.#children) {
      if (!gone.has(child)) left.push(child)
      else if (isSpace(left[left.length - 1])) left.pop()
    }
    this.#children = left.every(isSpace) ? [] : left
  }

  #insertNew(name: string, items: readonly Replacement[]): void {
    const head: XmlElement[] = []
    const after = new Map<XmlNode, XmlElement[]>()
    let previous: XmlElement | undefined
    for (const { element, from } of items) {
      if (from !== undefined) previous = element
      else if (previous === undefined) head.push(element)
      else if (!after.get(previous)?.push(element)) after.set(previous, [element])
    }
    const indent = this.childIndent
    if (after.size > 0) this.#insertAfter(after, indent)
    if (head.length > 0)
      this.#insertHead(name, head, items.find(({ from }) => from !== undefined)?.element, indent)
  }

  #insertAfter(runs: ReadonlyMap<XmlNode, readonly XmlElement[]>, indent: string): void {
    const children = this.#children
    const last = children[children.length - 1]
    const lines = children.flatMap((child) => [child, ...spaced(indent, runs.get(child) ?? [])])
    // After what was the very end there is no white space for the closing tag yet.
    const isAtEnd = last !== undefined && runs.has(last)
    this.#children = isAtEnd && indent !== '' ? [...lines, newText(this.#indent)] : lines
  }

  #insertHead(
    name: string,
    run: readonly XmlElement[],
    before: XmlElement | undefined,
    indent: string,
  ): void {
    const children = this.#children
    const previous = before === undefined ? this.#lastNotAfter(name) : undefined
    const next = before ?? children.find((child) => child.kind === 'element' && this.#order.has(child.name))
    const content = children.findLast((child) => !isSpace(child))
    if (previous !== undefined) this.#insertAfter(new Map([[previous, run]]), indent)
    else if (next !== undefined) {
      const block = run.flatMap((element) => (indent === '' ? [element] : [element, newText(indent)]))
      this.#children = children.toSpliced(children.indexOf(next), 0, ...block)
    } else if (content !== undefined) this.#insertAfter(new Map([[content, run]]), indent)
    // What white space there is without content belongs to the closing tag.
    else this.#children = [...spaced(indent, run), ...(indent === '' ? [] : [newText(this.#indent)])]
  }

  /** The last declared child that does not belong after children called `name`. */
  #lastNotAfter(name: string): XmlNode | undefined {
    const place = this.#order.get(name) ?? Number.POSITIVE_INFINITY
    return this.#children.findLast((child) => {
      if (child.kind !== 'element') return false
      return (this.#order.get(child.name) ?? Number.POSITIVE_INFINITY) <= place
    })
  }
}

function spaced(indent: string, run: readonly XmlElement[]): readonly XmlNode[] {
  return run.flatMap((element) => (indent === '' ? [element] : [newText(indent), element]))
}
