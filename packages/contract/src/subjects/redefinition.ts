import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** A definition takes the place of another. */
export function redefinition({ test }: Suite): void {
  test('define with the name and uuid of a persistent domain replaces its definition', async (scene) => {
    const domain = await scene.define({ elements: '<title>old</title>' })
    const { name, uuid } = domain
    const again = await scene.define({ name, uuid, elements: '<title>new</title>' })
    expect(again.uuid).toBe(uuid)
    expect(await domain.xml()).toContain('<title>new</title>')
    expect(await domain.xml()).not.toContain('old')
    expect(await scene.connection.domains.list()).toHaveLength(1)
  })

  test('a redefinition emits defined/updated and nothing else', async (scene) => {
    const { name, uuid } = await scene.define()
    expect(await scene.eventsOf(() => scene.define({ name, uuid }))).toEqual(['defined/updated'])
  })

  test('an active guest does not feel the redefinition, and the next start uses it', async (scene) => {
    const domain = await scene.running({ elements: '<title>old</title>' })
    const { name, uuid } = domain
    const id = await domain.id()
    await scene.define({ name, uuid, elements: '<title>new</title>' })
    expect(await domain.id()).toBe(id)
    expect(await domain.xml()).toContain('<title>old</title>')
    expect(await domain.xml({ inactive: true })).toContain('<title>new</title>')
    await domain.destroy()
    expect(await domain.xml()).toContain('<title>new</title>')
    await domain.start()
    expect(await domain.xml()).toContain('<title>new</title>')
  })

  test('a refused redefinition leaves the definition as it was', async (scene) => {
    const { name, uuid } = await scene.define({ elements: '<title>old</title>' })
    const broken = scene.xml({ name, uuid }).replace('<name>', '<name')
    await scene.refuses('XML_ERROR', () => scene.connection.domains.define(broken))
  })

  test('define with the name and uuid of a transient domain makes it persistent', async (scene) => {
    const domain = await scene.create()
    const { name, uuid } = domain
    const id = await domain.id()
    expect(await scene.eventsOf(() => scene.define({ name, uuid }))).toEqual(['defined/added'])
    expect(await domain.isPersistent()).toBe(true)
    expect(await domain.id()).toBe(id)
    await domain.destroy()
    expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'destroyed' })
  })

  test('a transient domain made persistent has both its documents', async (scene) => {
    const { name, uuid } = await scene.create({ elements: '<title>created</title>' })
    const domain = await scene.define({ name, uuid, elements: '<title>defined</title>' })
    expect(await domain.xml()).toContain('<title>created</title>')
    expect(await domain.xml({ inactive: true })).toContain('<title>defined</title>')
  })

  test('a transient domain made persistent can be marked for autostart', async (scene) => {
    const { name, uuid } = await scene.create()
    const domain = await scene.define({ name, uuid })
    await domain.setAutostart(true)
    expect(await domain.getAutostart()).toBe(true)
  })
}
