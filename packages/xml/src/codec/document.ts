import { VirError } from '@covirt/core'
import type { XmlLimits } from '../tree/limits.js'
import { readXml } from '../tree/read-xml.js'
import { writeXml } from '../tree/write-xml.js'
import type { AnyField, ElementCodec } from './codec.js'
import { type Origin, origin, originOf } from './origin.js'
import { Path } from './path.js'

export interface ParseOptions {
  /** What the document may cost; the defaults suit what libvirt itself accepts. */
  readonly limits?: Partial<XmlLimits>
  /** Told of every declared field that the document has. */
  readonly onField?: (field: AnyField) => void
}

/**
 * Reads a document whose root is `name`. Throws `XML_ERROR` for what is no such document; the message says
 * where, by line and column or by the path of the element.
 */
export function parseDocument<Out extends object, In>(
  name: string,
  codec: ElementCodec<Out, In>,
  input: string | Uint8Array,
  { limits, onField }: ParseOptions = {},
): Out {
  const tree = readXml(input, limits)
  if (tree.root.name !== name) {
    throw new VirError('XML_ERROR', `the root element is <${tree.root.name}>, not <${name}>`, {
      domain: 'XML',
    })
  }
  const path = new Path()
  path.enter(name)
  const value = codec.read(tree.root, onField === undefined ? { path } : { path, seen: onField })
  if (value === undefined) throw path.error(undefined, 'is empty')
  const document: Out & { [origin]?: Origin } = { ...value }
  document[origin] = { element: tree.root, value: document, codec, tree }
  return Object.freeze(document)
}

/**
 * The document of a value. Where the value was read from a document, or made by spreading such a value,
 * everything that was not changed is as it was, to the byte. Ends with a line feed where it is new.
 */
export function formatDocument<Out extends object, In>(
  name: string,
  codec: ElementCodec<Out, In>,
  value: In,
): string {
  const path = new Path()
  path.enter(name)
  const tree = originOf(value)?.codec === codec ? originOf(value)?.tree : undefined
  const root = codec.write(name, value, undefined, '\n', { path })
  return tree === undefined ? `${writeXml(root)}\n` : writeXml({ ...tree, root })
}
