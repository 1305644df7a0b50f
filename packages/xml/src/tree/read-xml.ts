/// <reference path="./xml2js-parser.d.ts" />
import { VirError } from '@covirt/core'
import { Parser } from 'xml2js/lib/parser.js'
import { checkInput } from './check-input.js'
import { defaultLimits, type XmlLimits } from './limits.js'
import { malformed } from './malformed.js'
import type { XmlAttribute, XmlElement, XmlNode, XmlTree } from './nodes.js'

/**
 * Reads a document into a tree that keeps everything: order, comments, CDATA, white space, the spelling of
 * each tag. Rejects with `XML_ERROR`, naming line and column, what is not well-formed, has a document type, or
 * is over a limit; it does so while reading, so that memory stays bounded.
 */
export function readXml(input: string | Uint8Array, limits: Partial<XmlLimits> = {}): XmlTree {
  const bounds = { ...defaultLimits, ...limits }
  return new TreeReader(checkInput(input, bounds), bounds).read()
}

/** The root element of a document: for a piece of XML, a device to attach for example. Errors as of {@link readXml}. */
export function readElement(input: string | Uint8Array, limits?: Partial<XmlLimits>): XmlElement {
  return readXml(input, limits).root
}

/** The tokenizer inside xml2js: its result objects lose order, comments and CDATA, its events do not. */
interface Tokenizer {
  readonly position: number
  readonly startTagPosition: number
  bufferCheckPosition: number
  ENTITIES: object
  comment: string
  procInstBody: string
  readonly attribValue: string
  readonly attribName: string
  readonly tagName: string
  readonly entity: string
  onerror: (error: Error) => void
  onopentagstart: (tag: { attributes: object }) => void
  onattribute: (attribute: XmlAttribute) => void
  onopentag: (tag: { readonly name: string; readonly isSelfClosing: boolean }) => void
  onclosetag: () => void
  ontext: (text: string) => void
  oncomment: (text: string) => void
  onopencdata: () => void
  oncdata: () => void
  onclosecdata: () => void
  onprocessinginstruction: (instruction: { readonly name: string }) => void
  ondoctype: () => void
  onsgmldeclaration: () => void
  onend: () => void
  write(chunk: string): Tokenizer
  flush(): void
  close(): void
}

interface OpenElement {
  readonly name: string
  readonly open: string
  readonly selfClosing: boolean
  readonly attributes: readonly XmlAttribute[]
  readonly children: XmlNode[]
}

const chunkLength = 64 * 1024
const entities = Object.assign(Object.create(null), { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" })
const looseEntity = /&(?!(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9a-fA-F]+);)/

class TreeReader {
  readonly #text: string
  readonly #limits: XmlLimits
  readonly #tokenizer: Tokenizer
  readonly #outer: XmlNode[] = []
  readonly #stack: OpenElement[] = []
  #root: XmlElement | undefined
  #rootIndex = 0
  #attributes: XmlAttribute[] = []
  #characters: string[] = []
  #nodes = 0
  #end = 0
  #cdataStart = 0

  constructor(text: string, limits: XmlLimits) {
    this.#text = text
    this.#limits = limits
    this.#tokenizer = new Parser().saxParser as Tokenizer
    this.#listen()
  }

  read(): XmlTree {
    const tokenizer = this.#tokenizer
    try {
      for (let at = 0; at < this.#text.length; at += chunkLength) {
        tokenizer.write(this.#text.slice(at, at + chunkLength))
        this.#boundBuffers()
      }
      tokenizer.close()
    } catch (error) {
      // The tokenizer is not hardened against every name ("constructor", …): nothing else may come out of here.
      throw error instanceof VirError
        ? error
        : this.#fail(error instanceof Error ? error.message : String(error))
    }
    if (this.#root === undefined) throw this.#fail('the document has no element')
    return {
      prolog: this.#outer.slice(0, this.#rootIndex),
      root: this.#root,
      epilog: this.#outer.slice(this.#rootIndex),
    }
  }

  #listen(): void {
    const tokenizer = this.#tokenizer
    tokenizer.ENTITIES = entities
    tokenizer.bufferCheckPosition = Number.POSITIVE_INFINITY
    tokenizer.onend = () => this.#closeText(this.#text.length)
    tokenizer.onerror = (error) => {
      if (error.message.startsWith('Invalid character entity')) throw this.#unknownEntity(tokenizer.entity)
      throw this.#fail(error.message.split('\n')[0] ?? 'not well-formed')
    }
    const seen = new Set<string>()
    const guard = this.#attributeGuard(seen)
    tokenizer.onopentagstart = (tag) => {
      seen.clear()
      tag.attributes = guard
    }
    tokenizer.onattribute = ({ name, value }) => this.#attribute(name, value)
    tokenizer.onopentag = ({ name, isSelfClosing }) => this.#open(name, isSelfClosing)
    tokenizer.onclosetag = () => this.#close()
    tokenizer.ontext = (text) => {
      this.#characters.push(flat(text))
    }
    // Its text, too, is taken from the document itself.
    tokenizer.oncdata = () => {}
    tokenizer.oncomment = () => this.#comment()
    tokenizer.onopencdata = () => {
      this.#cdataStart = tokenizer.startTagPosition - 1
      this.#closeText(this.#cdataStart)
    }
    tokenizer.onclosecdata = () => this.#cdata()
    tokenizer.onprocessinginstruction = ({ name }) => this.#instruction(name)
    tokenizer.ondoctype = () => {
      throw this.#fail('a document type is not allowed')
    }
    tokenizer.onsgmldeclaration = () => {
      throw this.#fail('markup declarations are not allowed')
    }
  }

  /** Called between chunks: what the tokenizer gathers character by character must not grow without end. */
  #boundBuffers(): void {
    const tokenizer = this.#tokenizer
    tokenizer.flush()
    // Their text is taken from the document itself.
    if (tokenizer.comment.length > 1) tokenizer.comment = '.'
    if (tokenizer.procInstBody.length > 1) tokenizer.procInstBody = '.'
    this.#boundName(tokenizer.tagName)
    this.#boundName(tokenizer.attribName)
    this.#boundName(tokenizer.entity)
    this.#boundValue(tokenizer.attribValue)
  }

  #boundName(name: string): void {
    if (name.length > this.#limits.maxNameLength) {
      throw this.#fail(`a name is longer than ${this.#limits.maxNameLength} characters`)
    }
  }

  #boundValue(value: string): void {
    if (value.length > this.#limits.maxValueLength) {
      throw this.#fail(`an attribute value is longer than ${this.#limits.maxValueLength} characters`)
    }
  }

  /** The tokenizer drops a repeated attribute without a word; it asks this object first. */
  #attributeGuard(seen: Set<string>): object {
    const isGiven = (name: string): boolean => {
      if (seen.has(name)) throw this.#fail(`attribute ${name} is given twice`)
      seen.add(name)
      return false
    }
    return new Proxy({}, { get: () => isGiven, set: () => true })
  }

  #attribute(name: string, value: string): void {
    this.#count()
    this.#boundName(name)
    this.#boundValue(value)
    if (this.#attributes.length >= this.#limits.maxAttributes) {
      throw this.#fail(`an element has more than ${this.#limits.maxAttributes} attributes`)
    }
    this.#attributes.push({ name, value })
  }

  #open(name: string, selfClosing: boolean): void {
    const start = this.#tokenizer.startTagPosition - 1
    this.#closeText(start)
    this.#count()
    this.#boundName(name)
    if (this.#root !== undefined) throw this.#fail('the document has more than one root element', start)
    if (this.#stack.length >= this.#limits.maxDepth) {
      throw this.#fail(`elements are nested deeper than ${this.#limits.maxDepth}`)
    }
    const open = this.#text.slice(start, this.#tokenizer.position)
    if (/^<[ \t\r\n]|.</s.test(open)) throw this.#fail('< is not allowed here', start)
    this.#checkEntities(open, start)
    const attributes = /[\t\r\n]/.test(open)
      ? this.#attributes.map((each) => normalized(each, open))
      : this.#attributes
    this.#stack.push({ name, open, selfClosing, attributes, children: [] })
    this.#attributes = []
    this.#end = this.#tokenizer.position
  }

  #close(): void {
    const element = this.#stack[this.#stack.length - 1]
    if (element === undefined) throw this.#fail('a closing tag without its element')
    let close = ''
    if (!element.selfClosing) {
      const start = this.#tokenizer.startTagPosition - 1
      this.#closeText(start)
      close = this.#text.slice(start, this.#tokenizer.position)
      if (!close.startsWith('</')) throw this.#fail('< is not allowed here', start)
    }
    this.#stack.pop()
    this.#end = this.#tokenizer.position
    const { name, open, attributes, children } = element
    const node: XmlElement = {
      kind: 'element',
      name,
      attributes,
      children,
      source: { open, close, name, attributes, children },
    }
    const parent = this.#stack[this.#stack.length - 1]
    if (parent !== undefined) {
      parent.children.push(node)
    } else {
      this.#root = node
      this.#rootIndex = this.#outer.length
    }
  }

  #comment(): void {
    // The event comes at "--", before the ">".
    const start = this.#tokenizer.startTagPosition - 1
    this.#closeText(start)
    const markup = this.#text.slice(start, this.#tokenizer.position + 1)
    if (!/^<!--.*-->$/s.test(markup)) throw this.#fail('a malformed comment', start)
    const value = markup.slice(4, -3)
    this.#add({ kind: 'comment', value })
    this.#end = start + markup.length
  }

  #cdata(): void {
    const markup = this.#text.slice(this.#cdataStart, this.#tokenizer.position)
    if (!markup.startsWith('<![CDATA[')) throw this.#fail('a malformed CDATA section', this.#cdataStart)
    const value = markup.slice(9, -3).replace(/\r\n?/g, '\n')
    this.#add(
      markup.includes('\r') ? { kind: 'cdata', value, source: { markup, value } } : { kind: 'cdata', value },
    )
    this.#end = this.#tokenizer.position
  }

  #instruction(name: string): void {
    const start = this.#tokenizer.startTagPosition - 1
    this.#closeText(start)
    const offset = this.#text.startsWith('\ufeff') ? 1 : 0
    if (name.toLowerCase() === 'xml' && start !== offset) {
      throw this.#fail('the XML declaration must be at the very beginning', start)
    }
    this.#add({ kind: 'instruction', markup: this.#text.slice(start, this.#tokenizer.position) })
    this.#end = this.#tokenizer.position
  }

  /** Ends the text since the last markup, which may be none. */
  #closeText(start: number): void {
    if (start <= this.#end) return
    const markup = this.#text.slice(this.#end, start)
    let value = this.#characters.length === 1 ? (this.#characters[0] ?? '') : this.#characters.join('')
    this.#characters = []
    if (this.#stack.length === 0) value = markup
    else if (markup.includes(']]>')) throw this.#fail(']]> is not allowed in text', this.#end)
    this.#checkEntities(markup, this.#end)
    if (markup.includes('\r') && !markup.includes('&#')) value = value.replace(/\r\n?/g, '\n')
    const plain = markup === value && !/[<>&\r]/.test(value)
    this.#add(plain ? { kind: 'text', value } : { kind: 'text', value, source: { markup, value } })
    this.#end = start
  }

  #add(node: XmlNode): void {
    this.#count()
    const parent = this.#stack[this.#stack.length - 1]
    if (parent === undefined) this.#outer.push(node)
    else parent.children.push(node)
  }

  #count(): void {
    this.#nodes++
    if (this.#nodes > this.#limits.maxNodes) {
      throw this.#fail(`the document has more than ${this.#limits.maxNodes} nodes`)
    }
  }

  #checkEntities(markup: string, start: number): void {
    if (!markup.includes('&')) return
    const at = markup.search(looseEntity)
    if (at !== -1) {
      throw this.#unknownEntity(/^&([^;\s<]{0,40})/.exec(markup.slice(at, at + 41))?.[1] ?? '', start + at)
    }
  }

  #unknownEntity(name: string, offset = this.#tokenizer.position - 1): VirError {
    const what = `unknown entity &${name.length > 40 ? `${name.slice(0, 40)}…` : name};`
    return malformed(what, this.#text, offset, 'Write &amp; for a plain &.')
  }

  #fail(what: string, offset = Math.max(0, this.#tokenizer.position - 1)): VirError {
    return malformed(what.charAt(0).toLowerCase() + what.slice(1), this.#text, offset)
  }
}

// The tokenizer builds text by appending, which V8 keeps as a tree many times its size until it is looked into.
function flat(text: string): string {
  text.charCodeAt(0)
  return text
}

// Literal white space in an attribute value reads as spaces; written as a character reference it stays.
function normalized(attribute: XmlAttribute, open: string): XmlAttribute {
  if (open.includes('&#')) return attribute
  return { name: attribute.name, value: attribute.value.replace(/\r\n|[\r\n\t]/g, ' ') }
}
