import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  type DomainXml,
  elementsOf,
  formatDomain,
  newElement,
  parseDomain,
  plain,
  readXml,
  withoutSource,
  writeXml,
  type XmlElement,
  type XmlNode,
} from '../src/index.js'
import { documentText, domainNames } from './documents.js'

const xmlText = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML cannot carry
  .map((text) => text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\p{Surrogate}]/gu, ''))
const xmlName = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_.-]{0,6}(:[a-z][a-z0-9]{0,3})?$/)
const attributes = fc.uniqueArray(fc.record({ name: xmlName, value: xmlText }), {
  selector: ({ name }) => name,
  maxLength: 4,
})

const leaf: fc.Arbitrary<XmlNode> = fc.oneof(
  xmlText.filter((value) => value !== '').map((value): XmlNode => ({ kind: 'text', value })),
  xmlText.map((value): XmlNode => ({ kind: 'comment', value: ` ${value.replaceAll(/[-\r]/g, '_')} ` })),
  xmlText
    .map((value) => value.replaceAll('\r', ''))
    .filter((value) => value !== '' && !value.includes(']]>'))
    .map((value): XmlNode => ({ kind: 'cdata', value })),
  xmlName
    .filter((name) => !/^xml/i.test(name))
    .map((name): XmlNode => ({ kind: 'instruction', markup: `<?${name} x?>` })),
)

const { element } = fc.letrec<{ element: XmlElement }>((tie) => ({
  element: fc.record({
    kind: fc.constant('element' as const),
    name: xmlName,
    attributes,
    children: fc.array(fc.oneof({ maxDepth: 4, depthSize: 'small' }, leaf, tie('element')), { maxLength: 5 }),
  }),
}))

/** Adjoining texts are one text to a reader. */
function joined(tree: XmlElement): XmlElement {
  const children: XmlNode[] = []
  for (const child of tree.children) {
    const last = children.at(-1)
    if (child.kind === 'text' && last?.kind === 'text') {
      children[children.length - 1] = { kind: 'text', value: last.value + child.value }
    } else children.push(child.kind === 'element' ? joined(child) : child)
  }
  return { ...tree, children }
}

test('any tree reads back from what is written of it', () => {
  fc.assert(
    fc.property(element, (tree) => {
      expect(withoutSource(readXml(writeXml(tree)).root)).toEqual(joined(tree))
    }),
    { numRuns: 500 },
  )
})

test('what is written of any tree is written the same again', () => {
  fc.assert(
    fc.property(element, (tree) => {
      const text = writeXml(tree)
      expect(writeXml(readXml(text))).toBe(text)
    }),
    { numRuns: 300 },
  )
})

test('any text at all is either read and written the same, or refused with XML_ERROR', () => {
  const soup = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '<',
          '>',
          '/',
          '=',
          '"',
          "'",
          '&',
          ';',
          '<a>',
          '</a>',
          '<!--',
          '-->',
          '<![CDATA[',
          ']]>',
          '<?',
          '?>',
          '<!',
          '#',
          '\r\n',
        ),
        fc.string({ maxLength: 3 }),
      ),
      { maxLength: 12 },
    )
    .map((parts) => `<a>${parts.join('')}</a>`)
  fc.assert(
    fc.property(soup, (text) => {
      let written: string
      try {
        written = writeXml(readXml(text))
      } catch (error) {
        expect(error).toMatchObject({ code: 'XML_ERROR' })
        return
      }
      expect(written).toBe(text)
    }),
    { numRuns: 2000 },
  )
})

/** A copy of the tree with elements that nobody declared put at random places of every element. */
function sprinkled(tree: XmlElement, pick: () => number, count = { n: 0 }): XmlElement {
  const children: XmlNode[] = []
  for (const child of tree.children) {
    children.push(child.kind === 'element' ? sprinkled(child, pick, count) : child)
    if (pick() === 0 && child.kind !== 'cdata')
      children.push(newElement(`foreign-${count.n++}`, { keep: 'me' }))
  }
  const attributes =
    pick() === 0 ? [...tree.attributes, { name: `foreign-${count.n++}`, value: 'keep' }] : tree.attributes
  return { ...tree, attributes, children }
}

/** The names of all foreign elements and attributes, each with the name of the element around it, sorted. */
function foreignOf(tree: XmlElement, found: string[] = []): string[] {
  for (const { name } of tree.attributes) if (name.startsWith('foreign')) found.push(`${tree.name}@${name}`)
  for (const child of elementsOf(tree)) {
    if (child.name.startsWith('foreign')) found.push(`${tree.name}/${child.name}`)
    foreignOf(child, found)
  }
  return found.sort()
}

const edits: readonly ((domain: DomainXml, word: string) => DomainXml)[] = [
  (domain, word) => ({ ...domain, name: word }),
  (domain, word) => ({ ...domain, title: word, description: word }),
  (domain) => ({ ...domain, id: 7, memoryKib: 12345n, currentMemoryKib: 99n }),
  (domain) => ({ ...domain, vcpu: { ...domain.vcpu, count: 3, current: 1 } }),
  (domain, word) => ({
    ...domain,
    os: { ...domain.os, cmdline: word, initArgs: [...domain.os.initArgs, word] },
  }),
  (domain) => ({ ...domain, features: { ...domain.features, acpi: true, pae: true } }),
  (domain) => ({ ...domain, devices: { ...domain.devices, disks: domain.devices.disks.toReversed() } }),
  (domain) => ({
    ...domain,
    devices: { ...domain.devices, disks: domain.devices.disks.map((disk) => ({ ...disk, readonly: true })) },
  }),
  (domain, word) => ({
    ...domain,
    devices: {
      ...domain.devices,
      interfaces: [
        { type: 'bridge', source: { bridge: word }, ips: [], routes: [] },
        ...domain.devices.interfaces,
      ],
    },
  }),
  (domain, word) => ({
    ...domain,
    devices: {
      ...domain.devices,
      consoles: domain.devices.consoles.map((console) => ({ ...console, tty: word })),
    },
  }),
]

const word = xmlText.map((text) => `w${text.replaceAll('\r', '')}`)

test('random edits keep everything that is not declared, and change what they say', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...domainNames),
      fc.array(fc.tuple(fc.constantFrom(...edits), word), { minLength: 1, maxLength: 6 }),
      fc.infiniteStream(fc.nat({ max: 9 })),
      (name, steps, picks) => {
        const pick = (): number => picks.next().value
        const source = sprinkled(readXml(documentText(name)).root, pick)
        let domain = parseDomain(writeXml(source))
        for (const [edit, text] of steps) domain = edit(domain, text)
        const written = formatDomain(domain)
        expect(foreignOf(readXml(written).root)).toEqual(foreignOf(source))
        expect(plain(parseDomain(written))).toEqual(plain(domain))
      },
    ),
    { numRuns: 300 },
  )
})
