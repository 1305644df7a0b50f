import { VirError } from '@covirt/core'
import { describe, expect, test } from '@jest/globals'
import { parseDomain, readXml } from '../src/index.js'

const name = "<domain type='kvm'><name>x</name>"

function errorOf(run: () => unknown): VirError {
  try {
    run()
  } catch (error) {
    if (error instanceof VirError) return error
    throw error
  }
  throw new Error('it was accepted')
}

/** The error, how long it took in milliseconds, and by how much the heap had grown. */
function cost(run: () => unknown): { error: VirError; tookMs: number; grewMib: number } {
  const before = process.memoryUsage()
  const start = performance.now()
  const error = errorOf(run)
  const tookMs = performance.now() - start
  const after = process.memoryUsage()
  return {
    error,
    tookMs,
    grewMib: (after.heapUsed + after.external - before.heapUsed - before.external) / 2 ** 20,
  }
}

const mebi = 2 ** 20

describe.each<[string, () => string | Uint8Array, RegExp]>([
  [
    'an entity bomb',
    () =>
      `<?xml version="1.0"?>\n<!-- c -->\n<!DOCTYPE lolz [<!ENTITY a "${'ha'.repeat(50_000)}"><!ENTITY b "&a;&a;&a;">]>${name}&b;</domain>`,
    /^line 3, column 1: a document type is not allowed$/,
  ],
  [
    'an endless document type',
    () => `<!DOCTYPE a [${'<!ENTITY x "y">'.repeat(mebi)}`.slice(0, 15 * mebi),
    /document type/,
  ],
  ['an external entity', () => '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', /document type/],
  [
    'a document of 100 MB',
    () => `${name}${'<x/>'.repeat(25 * mebi)}</domain>`,
    /too long: \d+, at most 16777216/,
  ],
  ['100 MB of bytes', () => new Uint8Array(100 * mebi).fill(0x41), /too long/],
  ['10,000 levels', () => `${'<a>'.repeat(10_000)}${'</a>'.repeat(10_000)}`, /nested deeper than 256/],
  ['10,000 levels that never end', () => '<a>'.repeat(10_000), /nested deeper than 256/],
  ['millions of elements', () => `<a>${'<b/>'.repeat(4 * mebi - 10)}</a>`, /more than 250000 nodes/],
  [
    'a million attributes',
    () => `<a ${Array.from({ length: mebi }, (_, i) => `a${i}=""`).join(' ')}/>`,
    /more than 256 attributes/,
  ],
  [
    'attributes without end',
    () => `<a>${`<b c='' d='' e=''/>`.repeat(800_000)}</a>`,
    /more than 250000 nodes/,
  ],
  ['an attribute of 15 MB', () => `<a b="${'x'.repeat(15 * mebi)}"/>`, /value is longer than 1048576/],
  ['a name of 15 MB', () => `<${'x'.repeat(15 * mebi)}/>`, /name is longer than 1024/],
  ['an attribute name of 15 MB', () => `<a ${'x'.repeat(15 * mebi)}=""/>`, /name is longer than 1024/],
  ['an entity name of 15 MB', () => `<a>&${'x'.repeat(15 * mebi)};</a>`, /name is longer than 1024/],
  [
    'a number of a million digits',
    () => `${name}<memory>${'9'.repeat(mebi)}</memory></domain>`,
    /domain\/memory: a number of 1048576 digits/,
  ],
])('%s', (_, make, message) => {
  test('is refused at once and in little memory', () => {
    const input = make()
    const { error, tookMs, grewMib } = cost(() => parseDomain(input))
    expect(error.message).toMatch(message)
    expect(error).toMatchObject({ code: 'XML_ERROR' })
    expect(tookMs).toBeLessThan(5000)
    expect(grewMib).toBeLessThan(256)
  })
})

test.each<[string, string | Uint8Array, RegExp]>([
  ['nothing', '', /no element/],
  ['no bytes', new Uint8Array(), /no element/],
  ['only white space', ' \n ', /no element/],
  ['only a comment', '<!-- x -->', /no element/],
  ['plain text', 'hello', /line 1, column 1: non-whitespace before first tag/],
  ['a NUL', '<a>\0</a>', /line 1, column 4: character U\+0000/],
  ['a control character', '<a>\n\u0007</a>', /line 2, column 1: character U\+0007/],
  ['a control character by reference', '<a>&#7;</a>', /unknown entity &#7;/],
  ['a NUL by reference', '<a>&#0;</a>', /unknown entity &#0;/],
  ['a number beyond Unicode', '<a>&#x110000;</a>', /unknown entity &#x110000;/],
  ['a surrogate by reference', '<a>&#xD800;</a>', /unknown entity &#xD800;/],
  ['half a surrogate pair', '<a>\ud800</a>', /character U\+D800/],
  ['the other half', '<a b="\udc00"/>', /character U\+DC00/],
  ['U+FFFF', '<a>\uffff</a>', /character U\+FFFF/],
  ['broken UTF-8', new Uint8Array([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e]), /not valid UTF-8/],
  [
    'an overlong encoding',
    new Uint8Array([0x3c, 0x61, 0x3e, 0xc0, 0x80, 0x3c, 0x2f, 0x61, 0x3e]),
    /not valid UTF-8/,
  ],
  ['UTF-16', new Uint8Array([0xff, 0xfe, 0x3c, 0, 0x61, 0]), /not valid UTF-8/],
  [
    'another declared encoding',
    Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a/>'),
    /encoding ISO-8859-1/,
  ],
  ['an unknown entity', '<a>&nbsp;</a>', /line 1, column 9: unknown entity &nbsp;/],
  ['an entity in upper case', '<a>&AMP;</a>', /unknown entity &AMP;/],
  ['an entity of HTML', '<a b="&eacute;"/>', /unknown entity &eacute;/],
  ['a lone &', '<a>x & y</a>', /invalid character in entity name/],
  ['an unclosed element', '<a><b></b>', /unclosed root tag/],
  ['crossed elements', '<a><b></a></b>', /unexpected close tag/],
  ['a closing tag too many', '<a/></b>', /unmatched closing tag|unexpected close tag/i],
  ['two roots', '<a/><b/>', /more than one root/],
  ['text after the root', '<a/>x', /text data outside/],
  ['an unended comment', '<a><!-- x</a>', /line 1, column 13: unclosed root tag/],
  ['two hyphens in a comment', '<a><!-- x -- y --></a>', /malformed comment/],
  ['an unended CDATA section', '<a><![CDATA[x</a>', /unclosed|unexpected end/],
  ['CDATA in lower case', '<a><![cdata[x]]></a>', /malformed CDATA/],
  ['the end of CDATA in text', '<a>x]]>y</a>', /]]> is not allowed/],
  ['an attribute twice', '<a b="1" b="1"/>', /attribute b is given twice/],
  ['an attribute without quotes', '<a b=1/>', /unquoted attribute value/],
  ['an attribute without value', '<a b/>', /attribute without value|invalid attribute name/],
  ['attributes without space', '<a b="1"c="2"/>', /no whitespace between attributes/],
  ['< in an attribute', '<a b="<"/>', /< is not allowed here/],
  ['a space before a name', '< a/>', /< is not allowed here/],
  ['a space before a closing name', '<a>< /a>', /< is not allowed here/],
  ['a late XML declaration', '<a/><?xml version="1.0"?>', /XML declaration must be at the very beginning/],
  ['a document type inside', '<a><!DOCTYPE b></a>', /doctype/],
  ['a declaration inside', '<a><!ENTITY b></a>', /markup declarations are not allowed/],
])('%s is refused, with the place', (_, input, message) => {
  const error = errorOf(() => readXml(input))
  expect(error.message).toMatch(message)
  expect(error).toMatchObject({ code: 'XML_ERROR', domain: 'XML' })
})

test.each(['constructor', 'hasOwnProperty', '__proto__', 'toString', 'get', 'set'])(
  'the name %s is as good as any other',
  (word) => {
    const text = `<${word} ${word}='1' b='2'><${word}/></${word}>`
    expect(readXml(text).root.attributes.map((attribute) => attribute.name)).toEqual([word, 'b'])
  },
)

test.each<[string, () => string]>([
  ['brackets in CDATA', () => `<a><![CDATA[${']'.repeat(8 * mebi)}]]></a>`],
  ['entities', () => `<a>${'&lt;'.repeat(2 * mebi)}</a>`],
  ['hyphens in a comment', () => `<a><!--${'- '.repeat(4 * mebi)}--></a>`],
])('8 MB of %s take little memory', (_, make) => {
  const input = make()
  const before = process.memoryUsage().heapUsed
  expect(readXml(input).root.children).toHaveLength(1)
  expect((process.memoryUsage().heapUsed - before) / 2 ** 20).toBeLessThan(128)
})

test('a long text, comment and CDATA section are no reason to refuse', () => {
  const long = 'é& < '.repeat(200_000)
  const escaped = long.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  const { children } = readXml(`<a>${escaped}<!--${long}--><![CDATA[${long}]]></a>`).root
  expect(
    children.map((child) => child.kind !== 'instruction' && child.kind !== 'element' && child.value),
  ).toEqual([long, long, long])
})

test("limits are the caller's to set", () => {
  expect(errorOf(() => readXml('<a><b><c/></b></a>', { maxDepth: 2 })).message).toMatch(/deeper than 2/)
  expect(readXml('<a><b><c/></b></a>', { maxDepth: 3 }).root.name).toBe('a')
})

test('a value that names an unsafe key does not reach the prototype', () => {
  const domain = parseDomain(
    `${name}<__proto__ polluted='1'/><devices><disk type='__proto__'><target dev='a'/></disk></devices></domain>`,
  )
  expect(domain.devices.disks[0]).toMatchObject({ type: 'other', otherType: '__proto__' })
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
})
