import { VirError } from '@covirt/core'
import type { AnyCodec } from '../codec/codec.js'
import { requireDeclared } from '../codec/index.js'
import { Path } from '../codec/path.js'
import { metadataElement, withMetadata } from '../domain/metadata.js'
import type { XmlAttribute, XmlElement, XmlNode } from '../tree/nodes.js'
import { type LifecycleInput, type LifecycleXml, lifecycle } from './declaration.js'

/** The namespace of `<lifecycle>` in a domain's `<metadata>`. */
export const lifecycleNamespace = 'urn:covirt:lifecycle:1'

const steps = ['domain', 'metadata', 'lifecycle']

interface WithMetadata {
  readonly metadata?: XmlElement | undefined
}

/**
 * What `domain`'s metadata say of its coming up and going down; `undefined` where they say nothing. `XML_ERROR`,
 * saying where, for what is not declared or contradicts itself.
 */
export function lifecycleOf(domain: WithMetadata): LifecycleXml | undefined {
  const found = metadataElement(domain, lifecycleNamespace)
  if (found === undefined) return undefined
  const element = withoutPrefix(found)
  if (element.name !== 'lifecycle') {
    throw new VirError('XML_ERROR', `domain/metadata: <${element.name}> is not <lifecycle>`, {
      domain: 'DOMAIN',
      hint: `The one element of ${lifecycleNamespace} is <lifecycle>.`,
    })
  }
  requireDeclared(element, lifecycle as unknown as AnyCodec, steps)
  const path = pathOf(steps)
  const value = lifecycle.read(element, { path }) ?? {}
  checkAlternatives(value)
  return value
}

/** The domain with `value` as its life-cycle metadata, in place of the former; with none where it is `undefined`. */
export function withLifecycle<D extends WithMetadata>(domain: D, value: LifecycleInput | undefined): D {
  if (value === undefined) return withMetadata(domain, lifecycleNamespace)
  const written = lifecycle.write('lifecycle', value, undefined, '\n    ', { path: pathOf(steps) })
  const { source: _, ...element } = written
  const attributes = [
    { name: 'xmlns', value: lifecycleNamespace },
    ...element.attributes.filter(({ name }) => name !== 'xmlns'),
  ]
  return withMetadata(domain, lifecycleNamespace, { ...element, attributes })
}

/** libvirt puts the prefix that a program has chosen before each of its names; here they have none. */
function withoutPrefix(root: XmlElement): XmlElement {
  const prefix = root.name.includes(':') ? root.name.slice(0, root.name.indexOf(':') + 1) : ''
  if (prefix === '') return root
  const declaration = `xmlns:${prefix.slice(0, -1)}`
  const bare = (name: string) => (name.startsWith(prefix) ? name.slice(prefix.length) : name)
  const strip = ({ name, attributes, children }: XmlElement): XmlElement => ({
    kind: 'element',
    name: bare(name),
    attributes: attributes
      .filter((attribute) => attribute.name !== declaration)
      .map((attribute): XmlAttribute => ({ name: bare(attribute.name), value: attribute.value })),
    children: children.map((node): XmlNode => (node.kind === 'element' ? strip(node) : node)),
  })
  return strip(root)
}

function checkAlternatives({ start, stop }: LifecycleXml): void {
  for (const [index, { domain, uuid }] of (start?.after ?? []).entries()) {
    if ((domain === undefined) === (uuid === undefined)) {
      throw problem(['start', `after[${index + 1}]`], 'either domain or uuid is to say which domain is meant')
    }
  }
  for (const [index, { mount, network, pool }] of (start?.requires ?? []).entries()) {
    const given = [mount, network, pool].filter((each) => each !== undefined)
    if (given.length !== 1) {
      throw problem(
        ['start', `requires[${index + 1}]`],
        'one of mount, network and pool is to say what is meant',
      )
    }
  }
  for (const [index, { pattern }] of (start?.ready?.consoles ?? []).entries()) {
    const where = ['start', 'ready', `console[${index + 1}]`]
    if (pattern.length > 500) throw problem(where, 'the pattern is longer than 500 characters')
    try {
      new RegExp(pattern, 'm')
    } catch {
      throw problem(where, `'${pattern}' is not a regular expression`)
    }
  }
  for (const [index, { args }] of (start?.ready?.execs ?? []).entries()) {
    if (args.length === 0) throw problem(['start', 'ready', `exec[${index + 1}]`], '<arg> is missing')
  }
  const last = (stop?.rungs ?? []).findIndex(({ by }) => by === 'destroy')
  if (last !== -1 && last !== (stop?.rungs.length ?? 0) - 1) {
    throw problem(['stop', `try[${last + 2}]`], 'nothing is left to try after destroy')
  }
}

function problem(where: readonly string[], what: string): VirError {
  return pathOf([...steps, ...where]).error(undefined, what)
}

function pathOf(entered: readonly string[]): Path {
  const path = new Path()
  for (const step of entered) path.enter(step)
  return path
}
