import { describe, expect, test } from '@jest/globals'
import {
  attributeOf,
  elementsOf,
  firstElementOf,
  newElement,
  newText,
  readElement,
  readXml,
  textOf,
  writeXml,
  type XmlElement,
} from '../src/index.js'

describe('reading', () => {
  test('keeps what stands around the root', () => {
    const tree = readXml('<?xml version="1.0"?>\n<!-- a --><r/>\n<?p q?>\n')
    expect(tree.prolog.map(({ kind }) => kind)).toEqual(['instruction', 'text', 'comment'])
    expect(tree.epilog.map(({ kind }) => kind)).toEqual(['text', 'instruction', 'text'])
  })

  test('resolves entities and character references', () => {
    const root = readElement('<r a="&lt;&#65;&#x1F600;&quot;">&amp;&gt;&apos;</r>')
    expect([attributeOf(root, 'a'), textOf(root)]).toEqual(['<A😀"', "&>'"])
  })

  test('reads line ends as line feeds, and white space in attributes as spaces', () => {
    const root = readElement('<r a="1\r\n2\t3\n4">x\r\ny\rz</r>')
    expect([attributeOf(root, 'a'), textOf(root)]).toEqual(['1 2 3 4', 'x\ny\nz'])
  })

  test('keeps white space that is written as a reference', () => {
    const root = readElement('<r a="1&#10;2">x&#13;</r>')
    expect([attributeOf(root, 'a'), textOf(root)]).toEqual(['1\n2', 'x\r'])
  })

  test('keeps text, comments and CDATA apart and in order', () => {
    const { children } = readElement('<r>a<!--b--><![CDATA[c]]>d<e/></r>')
    expect(children.map(({ kind }) => kind)).toEqual(['text', 'comment', 'cdata', 'text', 'element'])
  })

  test('takes bytes with a byte order mark', () => {
    expect(readXml(Buffer.from('\ufeff<r/>')).root.name).toBe('r')
  })

  test('finds children and attributes by name', () => {
    const root = readElement('<r><a n="1"/><b/><a n="2"/></r>')
    expect(elementsOf(root, 'a')).toHaveLength(2)
    expect(elementsOf(root)).toHaveLength(3)
    expect(attributeOf(firstElementOf(root, 'a') as XmlElement, 'n')).toBe('1')
    expect(firstElementOf(root, 'c')).toBeUndefined()
  })
})

describe('writing', () => {
  test('escapes what XML would read otherwise', () => {
    const element = newElement('r', { a: '<&"\'>\n\t\r' }, ['<&>\r"\''])
    expect(writeXml(element)).toBe(`<r a='&lt;&amp;&quot;&apos;&gt;&#10;&#9;&#13;'>&lt;&amp;&gt;&#13;"'</r>`)
  })

  test('splits a CDATA section that contains its own end', () => {
    const element = newElement('r', {}, [{ kind: 'cdata', value: 'a]]>b' }])
    expect(textOf(readElement(writeXml(element)))).toBe('a]]>b')
  })

  test('writes only the changed tag anew when an attribute changes', () => {
    const root = readElement(`<r  a = "1"  ><b  c="2" /></r >`)
    const changed = { ...root, attributes: [{ name: 'a', value: '3' }] }
    expect(writeXml(changed)).toBe(`<r a='3'><b  c="2" /></r >`)
  })

  test('writes a text anew when it changes, and as it was when it does not', () => {
    const root = readElement('<r>&#65;</r>')
    expect(writeXml({ ...root, children: root.children.map((child) => ({ ...child })) })).toBe('<r>&#65;</r>')
    expect(writeXml({ ...root, children: [newText('B')] })).toBe('<r>B</r>')
  })

  test('renames both tags', () => {
    expect(writeXml({ ...readElement('<r a="1"><b/></r>'), name: 's' })).toBe("<s a='1'><b/></s>")
  })

  test('opens an element that was closed in itself, and closes one that was emptied', () => {
    expect(writeXml({ ...readElement('<r a="1" />'), children: [newText('x')] })).toBe('<r a="1">x</r>')
    expect(writeXml({ ...readElement('<r a="1">x</r>'), children: [] })).toBe('<r a="1"/>')
  })

  test.each<[string, XmlElement]>([
    ['a name with a space', newElement('a b')],
    ['an empty name', newElement('')],
    ['markup as a name', newElement('a><b')],
    ['an attribute name with a quote', newElement('a', { "b='": 'c' })],
    ['a comment with two hyphens', newElement('a', {}, [{ kind: 'comment', value: 'x -- y' }])],
    ['a control character', newElement('a', {}, ['\u0001'])],
  ])('refuses %s', (_, element) => {
    expect(() => writeXml(element)).toThrow(expect.objectContaining({ code: 'XML_ERROR' }))
  })
})
