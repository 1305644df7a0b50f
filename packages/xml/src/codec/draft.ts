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
    this.#insertRuns(name, items)
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

  #insertRuns(name: string, items: readonly Replacement[]): void {
    let previous: XmlElement | undefined
    let run: XmlElement[] = []
    for (const { element, from } of items) {
      if (from === undefined) run.push(element)
      else {
        if (run.length > 0) this.#insert(name, run, previous, previous === undefined ? element : undefined)
        run = []
        previous = element
      }
    }
    if (run.length > 0) this.#insert(name, run, previous, undefined)
  }

  #insert(
    name: string,
    run: readonly XmlElement[],
    after: XmlElement | undefined,
    before: XmlElement | undefined,
  ): void {
    const indent = this.childIndent
    const children = this.#children
    const next = before === undefined ? this.#firstDeclared() : children.indexOf(before)
    const place = before === undefined ? this.#lastNotAfter(name) : -1
    const previous = after === undefined ? place : children.indexOf(after)
    if (previous === -1 && next !== -1) {
      const block = run.flatMap((element) => (indent === '' ? [element] : [element, newText(indent)]))
      this.#children = children.toSpliced(next, 0, ...block)
      return
    }
    const index = previous === -1 ? children.findLastIndex((child) => !isSpace(child)) : previous
    const block = run.flatMap((element) => (indent === '' ? [element] : [newText(indent), element]))
    const end = indent === '' ? [] : [newText(this.#indent)]
    // Without content, what white space there is belongs to the closing tag; after a comment there may be none.
    if (index === -1) this.#children = [...block, ...end]
    else if (index === children.length - 1) this.#children = [...children, ...block, ...end]
    else this.#children = children.toSpliced(index + 1, 0, ...block)
  }

  /** The index of the last declared child that does not belong after children called `name`, or -1. */
  #lastNotAfter(name: string): number {
    const place = this.#order.get(name) ?? Number.POSITIVE_INFINITY
    return this.#children.findLastIndex((child) => {
      if (child.kind !== 'element') return false
      return (this.#order.get(child.name) ?? Number.POSITIVE_INFINITY) <= place
    })
  }

  #firstDeclared(): number {
    return this.#children.findIndex((child) => child.kind === 'element' && this.#order.has(child.name))
  }
}
