import { expect } from '@jest/globals'
import type { Scene } from '../scene.js'
import type { Suite } from '../suite.js'

/** Names that no driver can take, as they stand in XML; each in a file name would be a danger or a riddle. */
const badNames: Readonly<Record<string, string>> = {
  'an empty name': '<name></name>',
  'a name of blanks': '<name>  </name>',
  'a name with a slash': '<name>a/b</name>',
  'a name that is an absolute path': '<name>/etc/passwd</name>',
  'a name that leads upwards': '<name>../up</name>',
  "the name '.'": '<name>.</name>',
  "the name '..'": '<name>..</name>',
  'a name with a line break': '<name>a&#10;b</name>',
  'a name with a control character': '<name>a&#9;b</name>',
  'a name of 1000 characters': `<name>${'n'.repeat(1000)}</name>`,
  'no name': '',
}

/** Changes of a good document that make it wrong. */
const badDocuments: Readonly<Record<string, (xml: string) => string>> = {
  'an empty text': () => '',
  'a text that is no XML': () => 'memory = 64',
  'a document that ends early': (xml) => xml.slice(0, xml.length - 8),
  'an element that is not closed': (xml) => xml.replace('<name>', '<open><name>'),
  'an attribute without quotes': (xml) => xml.replace('<name>', '<a b=c/><name>'),
  'another root element': (xml) => xml.replace('<domain', '<network').replace('</domain>', '</network>'),
  'two root elements': (xml) => xml + xml,
  'an unknown entity': (xml) => xml.replace('<name>', '<title>&nothing;</title><name>'),
  'a document without a type': (xml) => xml.replace(/<domain [^>]*>/, '<domain>'),
  'a uuid that is none': (xml) => xml.replace('<name>', '<uuid>not-a-uuid</uuid><name>'),
  'memory that is no number': (xml) => xml.replace(/<memory[^>]*>[^<]*/, '<memory>much'),
  'negative memory': (xml) => xml.replace(/<memory[^>]*>[^<]*/, '<memory>-1'),
  'memory in an unknown unit': (xml) => xml.replace(/<memory[^>]*>[^<]*/, "<memory unit='furlong'>1"),
  'memory that overflows': (xml) => xml.replace(/<memory[^>]*>[^<]*/, `<memory unit='EiB'>${'9'.repeat(30)}`),
  'vcpus that are no number': (xml) =>
    `${xml.replace(/<vcpu[^>]*>[^<]*<\/vcpu>/, '')}`.replace('<name>', '<vcpu>some</vcpu><name>'),
}

/** Documents that are made to hurt. */
const hostileDocuments: Readonly<Record<string, (xml: string) => string>> = {
  'an entity bomb': (xml) => `${entityBomb()}${xml.replace('<name>', '<title>&e9;</title><name>')}`,
  'an external entity': (xml) =>
    `<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>${xml.replace('<name>', '<title>&x;</title><name>')}`,
  '10,000 levels of elements': (xml) =>
    xml.replace('<name>', `${'<x>'.repeat(10_000)}${'</x>'.repeat(10_000)}<name>`),
  'a NUL': (xml) => xml.replace('<name>', '<title>\u0000</title><name>'),
  'a NUL as a reference': (xml) => xml.replace('<name>', '<title>&#0;</title><name>'),
  'half a surrogate pair': (xml) => xml.replace('<name>', '<title>\ud800</title><name>'),
  "a name out of an object's prototype as the type": (xml) =>
    xml.replace(/<domain [^>]*>/, "<domain type='__proto__'>"),
}

/** What is wrong in a document is found when it is defined, told, and harms nothing. */
export function badInput({ test }: Suite): void {
  for (const [what, name] of Object.entries(badNames)) {
    test(`${what} is an XML_ERROR`, (scene) =>
      refusesXml(scene, (xml) => xml.replace(/<name>.*?<\/name>/, name)))
  }

  for (const [what, spoil] of Object.entries(badDocuments)) {
    test(`${what} is an XML_ERROR`, (scene) => refusesXml(scene, spoil))
  }

  for (const [what, spoil] of Object.entries(hostileDocuments)) {
    test(`${what} is refused`, async (scene) => {
      const xml = spoil(scene.xml())
      await expect(scene.connection.domains.define(xml)).rejects.toMatchObject({
        code: expect.stringMatching(/^(XML_ERROR|CONFIG_UNSUPPORTED)$/),
      })
      expect(await scene.connection.domains.list()).toEqual([])
    })
  }

  test('a domain type that the driver does not run is CONFIG_UNSUPPORTED', async (scene) => {
    const xml = scene.xml().replace(/<domain type=(['"])[^'"]*\1/, "<domain type='vapour'")
    await scene.refuses('CONFIG_UNSUPPORTED', () => scene.connection.domains.define(xml))
    await scene.refuses('CONFIG_UNSUPPORTED', () => scene.connection.domains.create(xml))
  })

  test('a refused document leaves a domain that it names untouched', async (scene) => {
    const { name, uuid } = await scene.running({ elements: '<title>kept</title>' })
    const broken = scene.xml({ name, uuid }).replace(/<memory[^>]*>[^<]*/, '<memory>much')
    await scene.refuses('XML_ERROR', () => scene.connection.domains.define(broken))
  })

  test('a document that is no string is a TypeError', async (scene) => {
    const nothing = undefined as unknown as string
    await expect(scene.connection.domains.define(nothing)).rejects.toThrow(TypeError)
    await expect(scene.connection.domains.create(nothing)).rejects.toThrow(TypeError)
  })

  test('names that are unusual and harmless are taken', async (scene) => {
    const name = `${scene.world.uniqueName('dom')}.with_all-3`
    expect((await scene.define({ name })).name).toBe(name)
    expect((await scene.connection.domains.lookupByName(name)).name).toBe(name)
  })
}

async function refusesXml(scene: Scene, spoil: (xml: string) => string): Promise<void> {
  const xml = spoil(scene.xml())
  await scene.refuses('XML_ERROR', () => scene.connection.domains.define(xml))
  await scene.refuses('XML_ERROR', () => scene.connection.domains.create(xml))
}

/** Ten levels of ten references each: ten billion characters, if anybody expanded it. */
function entityBomb(): string {
  const levels = Array.from({ length: 10 }, (_, level) => {
    const value = level === 0 ? 'boom boom ' : `&e${level - 1};`.repeat(10)
    return `<!ENTITY e${level} "${value}">`
  })
  return `<!DOCTYPE domain [${levels.join('')}]>`
}
