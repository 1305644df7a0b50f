import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

const foreign = `<metadata>
    <app:place xmlns:app="urn:example:app" floor="3"><app:room>Zoë &amp; Łukasz</app:room><!-- window --></app:place>
    <other xmlns="urn:example:other"><![CDATA[1 < 2]]></other>
  </metadata>`

/** Documents travel as text and lose nothing. */
export function documents({ test, needing }: Suite): void {
  test('the document of a domain that is off is its definition, without an id', async (scene) => {
    const domain = await scene.define({ elements: '<title>a title</title>' })
    const xml = await domain.xml()
    expect(xml).toContain(`<name>${domain.name}</name>`)
    expect(xml).toContain('<title>a title</title>')
    expect(domainTag(xml)).not.toMatch(/\bid=/)
    expect(await domain.xml({ inactive: true })).toBe(xml)
  })

  test('the live document says the id, the definition does not', async (scene) => {
    const domain = await scene.running()
    expect(domainTag(await domain.xml())).toMatch(new RegExp(`\\bid=['"]${await domain.id()}['"]`))
    expect(domainTag(await domain.xml({ inactive: true }))).not.toMatch(/\bid=/)
  })

  test('the document of a domain that went off has no traces of its run', async (scene) => {
    const domain = await scene.define()
    const before = await domain.xml()
    await domain.start()
    await domain.destroy()
    expect(await domain.xml()).toBe(before)
  })

  test('the inactive document of a transient domain is the one it was created with', async (scene) => {
    const domain = await scene.create({ elements: '<title>made</title>' })
    const xml = await domain.xml({ inactive: true })
    expect(xml).toContain('<title>made</title>')
    expect(domainTag(xml)).not.toMatch(/\bid=/)
  })

  test('foreign metadata comes back with every namespace, comment and character', async (scene) => {
    const domain = await scene.define({ elements: foreign })
    const xml = await domain.xml()
    expect(xml).toMatch(/<app:place xmlns:app=["']urn:example:app["'] floor=["']3["']>/)
    expect(xml).toContain('<app:room>Zoë &amp; Łukasz</app:room><!-- window -->')
    expect(xml).toMatch(/<other xmlns=["']urn:example:other["']>(<!\[CDATA\[1 < 2\]\]>|1 &lt; 2)<\/other>/)
  })

  test('elements and attributes that the driver does not know come back', async (scene) => {
    const spec = { name: scene.world.uniqueName('dom') }
    const xml = scene
      .xml(spec)
      .replace('</domain>', "<novelty since='2031'><part>x</part></novelty></domain>")
    const domain = await scene.connection.domains.define(xml)
    expect(await domain.xml()).toMatch(/<novelty since=["']2031["']>\s*<part>x<\/part>\s*<\/novelty>/)
  })

  test('a title is changed in the definition, in the live document, or in both', async (scene) => {
    const domain = await scene.running({ elements: '<title>one</title>' })
    await domain.setMetadata({ kind: 'title', text: 'two' })
    expect(await domain.xml()).toContain('<title>two</title>')
    expect(await domain.xml({ inactive: true })).toContain('<title>one</title>')
    await domain.setMetadata({ kind: 'title', text: 'three' }, { live: true, config: true })
    expect(await domain.xml()).toContain('<title>three</title>')
    expect(await domain.xml({ inactive: true })).toContain('<title>three</title>')
    await domain.setMetadata({ kind: 'title' }, { config: true })
    expect(await domain.xml()).toContain('<title>three</title>')
    expect(await domain.xml({ inactive: true })).not.toContain('<title>')
  })

  test('an element of metadata is put into its namespace, replaced, and removed', async (scene) => {
    const domain = await scene.define({ elements: foreign })
    const mine = { kind: 'element', namespace: 'urn:example:mine', prefix: 'my' } as const
    await domain.setMetadata({ ...mine, xml: '<note at="5">first</note>' })
    expect(await domain.xml()).toMatch(
      /<my:note xmlns:my=["']urn:example:mine["'] at=["']5["']>first<\/my:note>/,
    )
    await domain.setMetadata({ ...mine, xml: '<note>second</note>' })
    expect(await domain.xml()).not.toContain('first')
    await domain.setMetadata(mine)
    expect(await domain.xml()).not.toContain('urn:example:mine')
    expect(await domain.xml()).toContain('<app:room>')
  })

  test('metadata of a guest that is not there cannot be changed, nor of a definition that is not', async (scene) => {
    const off = await scene.define()
    const refused = { code: 'OPERATION_INVALID' }
    await expect(off.setMetadata({ kind: 'title', text: 'x' }, { live: true })).rejects.toMatchObject(refused)
    const transient = await scene.create()
    const config = transient.setMetadata({ kind: 'title', text: 'x' }, { config: true })
    await expect(config).rejects.toMatchObject(refused)
  })

  test('metadata is in the live document, too', async (scene) => {
    const domain = await scene.running({ elements: foreign })
    expect(await domain.xml()).toContain('<app:room>Zoë &amp; Łukasz</app:room><!-- window -->')
  })

  test('a definition that was given out is defined again unchanged', async (scene) => {
    const domain = await scene.define({ elements: foreign })
    const given = await domain.xml({ secure: true })
    await scene.connection.domains.define(given)
    expect(await domain.xml({ secure: true })).toBe(given)
    await domain.undefine()
    const again = await scene.connection.domains.define(given)
    expect(again.uuid).toBe(domain.uuid)
    expect(await again.xml({ secure: true })).toBe(given)
  })

  test('the inactive document of an active domain can be defined again unchanged', async (scene) => {
    const domain = await scene.running()
    const given = await domain.xml({ inactive: true, secure: true })
    await scene.connection.domains.define(given)
    expect(await domain.xml({ inactive: true, secure: true })).toBe(given)
  })

  test('the live document can be defined again; its id and run-time facts do not stay', async (scene) => {
    const domain = await scene.running()
    await scene.connection.domains.define(await domain.xml({ secure: true }))
    expect(domainTag(await domain.xml({ inactive: true }))).not.toMatch(/\bid=/)
    await domain.destroy()
    await domain.start()
    expect(await domain.isActive()).toBe(true)
  })

  test('a document may begin with a byte order mark, a declaration and comments', async (scene) => {
    const xml = `\ufeff<?xml version="1.0" encoding="UTF-8"?>\n<!-- mine -->\n${scene.xml()}\n`
    expect((await scene.connection.domains.define(xml)).uuid).toMatch(/^[0-9a-f-]{36}$/)
  })

  needing('password', 'passwords are left out unless they are asked for', async (scene) => {
    const password = 'open-sesame'
    const domain = await scene.define({ password })
    expect(await domain.xml()).not.toContain(password)
    expect(await domain.xml({ secure: true })).toContain(password)
    await domain.start()
    expect(await domain.xml()).not.toContain(password)
    expect(await domain.xml({ inactive: true })).not.toContain(password)
    expect(await domain.xml({ secure: true })).toContain(password)
  })
}

function domainTag(xml: string): string {
  return /<domain\b[^>]*>/.exec(xml)?.[0] ?? ''
}
