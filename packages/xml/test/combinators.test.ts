import { VirError } from '@covirt/core'
import { describe, expect, test } from '@jest/globals'
import type { ElementCodec, Input, Output } from '../src/codec/codec.js'
import { formatDocument, parseDocument } from '../src/codec/document.js'
import {
  always,
  attr,
  attrOnly,
  child,
  children,
  flag,
  oneOf,
  only,
  plain,
  raw,
  record,
  required,
  size,
  string,
  text,
  textOnly,
  u32,
  union,
  yesNo,
} from '../src/codec/index.js'

const box = record({
  id: required(attr('id', u32)),
  open: attr('open', yesNo),
  label: child('label', textOnly(string)),
  colour: child('paint', attrOnly('colour', oneOf('red', 'blue'))),
  sealed: flag('sealed'),
  inner: always('inner', record({ note: attr('note', string) })),
  items: children('item', record({ name: required(attr('name', string)), count: text(u32) })),
  foreign: child('foreign', raw),
  weightKib: child('weight', only(size({ assume: 'KiB', as: 'KiB' }))),
})

const read = (inside: string): Output<typeof box> => parseDocument('box', box, `<box ${inside}</box>`)

function write(value: Input<typeof box>): string {
  return formatDocument('box', box, value)
}

describe('reading', () => {
  test.each<[string, string, object]>([
    ['an attribute', "id='1' open='yes'>", { open: true }],
    ['the text of a child', "id='1'><label>x</label>", { label: 'x' }],
    ['text and CDATA together', "id='1'><label>x<!-- c --><![CDATA[<y>]]></label>", { label: 'x<y>' }],
    ['an attribute of a child', "id='1'><paint colour='red'/>", { colour: 'red' }],
    ['a presence', "id='1'><sealed/>", { sealed: true }],
    [
      'a list',
      "id='1'><item name='a'>1</item><x/><item name='b'/>",
      { items: [{ name: 'a', count: 1 }, { name: 'b' }] },
    ],
    ['a size', "id='1'><weight unit='MiB'>2</weight>", { weightKib: 2048n }],
    ['the first of two, where one is declared', "id='1'><label>x</label><label>y</label>", { label: 'x' }],
    ['nothing from an empty text, as libvirt does', "id='1'><label></label>", {}],
  ])('%s', (_, inside, value) => {
    expect(plain(read(inside))).toEqual({ id: 1, inner: {}, items: [], ...value })
  })

  test('a raw subtree', () => {
    expect(read("id='1'><foreign a='1'><b/></foreign>").foreign?.children).toHaveLength(1)
  })
})

test('everything absent reads as absent, lists and always-children as empty', () => {
  expect(plain(read("id='1'>"))).toEqual({ id: 1, inner: {}, items: [] })
})

test('a value made from nothing is written in the declared order', () => {
  const value = {
    weightKib: 5n,
    items: [{ name: 'a', count: 3 }],
    sealed: true,
    colour: 'blue',
    label: 'l',
    inner: { note: 'n' },
    open: false,
    id: 9,
  } as const
  expect(write(value)).toBe(`<box id='9' open='no'>
  <label>l</label>
  <paint colour='blue'/>
  <sealed/>
  <inner note='n'/>
  <item name='a'>3</item>
  <weight unit='KiB'>5</weight>
</box>
`)
})

describe('sizes', () => {
  const bytes = only(size({ assume: 'bytes', as: 'bytes' }))
  const readSize = (codec: ElementCodec<bigint>, xml: string): bigint =>
    parseDocument('s', record({ v: required(child('v', codec)) }), `<s>${xml}</s>`).v

  test.each<[string, bigint]>([
    ['', 1n],
    ['b', 1n],
    ['byte', 1n],
    ['bytes', 1n],
    ['KB', 1000n],
    ['k', 1024n],
    ['K', 1024n],
    ['KiB', 1024n],
    ['kib', 1024n],
    ['MB', 10n ** 6n],
    ['M', 2n ** 20n],
    ['MiB', 2n ** 20n],
    ['GB', 10n ** 9n],
    ['G', 2n ** 30n],
    ['GiB', 2n ** 30n],
    ['TB', 10n ** 12n],
    ['T', 2n ** 40n],
    ['TiB', 2n ** 40n],
    ['PB', 10n ** 15n],
    ['P', 2n ** 50n],
    ['PiB', 2n ** 50n],
    ['EB', 10n ** 18n],
    ['E', 2n ** 60n],
    ['EiB', 2n ** 60n],
  ])('in %s', (unit, each) => {
    expect(readSize(bytes, `<v${unit === '' ? '' : ` unit='${unit}'`}>3</v>`)).toBe(3n * each)
  })

  test.each([
    ['an unknown unit', "<v unit='parsec'>1</v>", /s\/v@unit: unit 'parsec' is not known/],
    ['a word that begins like a unit', "<v unit='Kbit'>1</v>", /unit 'Kbit' is not known/],
    ['an empty unit', "<v unit=''>1</v>", /unit '' is not known/],
    ['more than 8 EiB', "<v unit='EiB'>8</v>", /s\/v: 8 EiB is too large/],
    ['more than 64 bits', '<v>18446744073709551616</v>', /out of range/],
    ['a negative size', '<v>-1</v>', /out of range/],
    ['a fraction', '<v>1.5</v>', /not a whole number/],
  ])('%s is refused', (_, xml, message) => {
    expect(() => readSize(bytes, xml)).toThrow(message)
  })

  test('are rounded up to the unit of the value', () => {
    const kib = only(size({ assume: 'KiB', as: 'KiB' }))
    expect(readSize(kib, "<v unit='b'>1025</v>")).toBe(2n)
  })

  test('too large to be written are refused', () => {
    expect(() => write({ id: 1, weightKib: 2n ** 54n })).toThrow(/box\/weight: .* is too large/)
  })
})

describe('an error names the place:', () => {
  test.each([
    ["id='x'>", "box@id: 'x' is not a whole number"],
    ['>', 'box: attribute id is missing'],
    ["id='1'><paint colour='green'/>", "box/paint@colour: 'green' is not known"],
    ["id='1'><item name='a'/><item name='b'>x</item>", "box/item[2]: 'x' is not a whole number"],
    ["id='1'><item/>", 'box/item[1]: attribute name is missing'],
  ])('%s', (inside, message) => {
    expect(() => read(inside)).toThrow(new VirError('XML_ERROR', message))
  })

  test('with a hint how to mend it', () => {
    expect(() => read("id='1'><paint colour='green'/>")).toThrow(
      expect.objectContaining({ code: 'XML_ERROR', hint: 'Known are: red, blue.' }),
    )
  })

  test('also when writing', () => {
    expect(() => write({ id: 1, items: [{ name: 'a' }, { name: 'b', count: -1 }] })).toThrow(
      expect.objectContaining({ code: 'XML_ERROR', message: 'box/item[2]: -1 is out of range' }),
    )
  })

  test('and is a TypeError for a value of the wrong type', () => {
    const wrong = { id: '1' } as unknown as Input<typeof box>
    expect(() => write(wrong)).toThrow(new TypeError('box@id: 1 is not a whole number'))
  })

  test('and is a TypeError for what is no object', () => {
    const wrong = { id: 1, items: ['a'] } as unknown as Input<typeof box>
    expect(() => write(wrong)).toThrow(new TypeError('box/item[1]: the value is not an object'))
  })

  test('and what is missing', () => {
    expect(() => write({} as Input<typeof box>)).toThrow('box: attribute id is missing')
  })
})

test('another root element is refused', () => {
  expect(() => parseDocument('box', box, '<bag/>')).toThrow('the root element is <bag>, not <box>')
})

test.each([
  ['a NUL', '\0'],
  ['half a surrogate pair', '\ud800'],
  ['U+FFFE', '\ufffe'],
])('%s cannot be written', (_, character) => {
  expect(() => write({ id: 1, label: `a${character}` })).toThrow(/cannot be written in XML/)
})

describe('a union', () => {
  const shape = union(
    'square',
    { name: attr('name', string), size: child('size', raw) },
    {
      square: { size: child('size', attrOnly('edge', u32)) },
      circle: { size: child('size', attrOnly('radius', u32)) },
    },
  )

  /** Narrows by `type`: that this compiles is the test of the inferred type. */
  function area(value: Output<typeof shape>): string {
    switch (value.type) {
      case 'square':
        return `${(value.size ?? 0) ** 2}`
      case 'circle':
        return `${value.size ?? 0}² π`
      case 'other':
        return `${value.otherType} ${value.size?.name ?? ''}`
    }
  }

  test.each([
    ["<s type='square'><size edge='3'/></s>", '9'],
    ["<s type='circle'><size radius='2'/></s>", '2² π'],
    ["<s><size edge='2'/></s>", '4'],
    ["<s type='star'><size arms='5'/></s>", 'star size'],
    ["<s type='other'><size/></s>", 'other size'],
  ])('reads the fields of its kind: %s', (xml, result) => {
    expect(area(parseDocument('s', shape, xml))).toBe(result)
  })

  test('writes an undeclared kind under its own word', () => {
    const value = parseDocument('s', shape, "<s type='star'><size arms='5'/></s>")
    expect(formatDocument('s', shape, plain(value))).toBe("<s type='star'>\n  <size arms='5'/>\n</s>\n")
  })
})
