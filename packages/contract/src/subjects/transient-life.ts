import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** A domain that has a guest and no definition. */
export function transientLife({ test, needing }: Suite): void {
  test('create starts a domain that is active and has no stored definition', async (scene) => {
    const domain = await scene.create()
    expect(await domain.state()).toEqual({ state: 'running', reason: 'booted' })
    expect(await domain.isActive()).toBe(true)
    expect(await domain.isPersistent()).toBe(false)
  })

  test('create emits started/booted and nothing else', async (scene) => {
    expect(await scene.eventsOf(() => scene.create())).toEqual(['started/booted'])
  })

  test('create resolves to a reference with a name, a uuid and an id', async (scene) => {
    const name = scene.world.uniqueName('dom')
    const ref = await scene.connection.driver.createDomain(scene.xml({ name }))
    expect(ref.name).toBe(name)
    expect(ref.uuid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(ref.id).toBeGreaterThan(0)
  })

  test('a destroyed transient domain disappears, and emits stopped/destroyed', async (scene) => {
    const domain = await scene.create()
    expect(await scene.eventsOf(() => domain.destroy())).toEqual(['stopped/destroyed'])
    await scene.refuses('NO_DOMAIN', () => domain.state())
    expect(await scene.connection.domains.list()).toEqual([])
  })

  test('a transient domain that was shut down disappears', async (scene) => {
    const domain = await scene.create()
    await scene.until(scene.world.ready(domain))
    await domain.shutdown()
    await scene.seen('stopped/shutdown', domain)
    await scene.refuses('NO_DOMAIN', () => domain.state())
  })

  needing('powerOff', 'a transient domain whose guest switches itself off disappears', async (scene) => {
    const domain = await scene.create()
    await scene.until(scene.world.ready(domain))
    await scene.world.powerOff?.(domain)
    await scene.seen('stopped/shutdown', domain)
    await scene.refuses('NO_DOMAIN', () => domain.state())
  })

  test('the name and the uuid of a transient domain that has gone are free again', async (scene) => {
    const xml = scene.xml({ uuid: '5b5e8a5c-2e0a-4f6b-9a0e-3c1d5f7e9b02' })
    await (await scene.connection.domains.create(xml)).destroy()
    const again = await scene.connection.domains.create(xml)
    expect(await again.isActive()).toBe(true)
  })

  test('create of a persistent domain that is off starts it and keeps its definition', async (scene) => {
    const domain = await scene.define({ elements: '<title>stored</title>' })
    const { name, uuid } = domain
    const once = scene.xml({ name, uuid, elements: '<title>once</title>' })
    expect(await scene.eventsOf(() => scene.connection.domains.create(once))).toEqual(['started/booted'])
    expect(await domain.isPersistent()).toBe(true)
    expect(await domain.xml()).toContain('<title>once</title>')
    expect(await domain.xml({ inactive: true })).toContain('<title>stored</title>')
    await domain.destroy()
    expect(await domain.xml()).toContain('<title>stored</title>')
  })

  needing('broken', 'a create that fails leaves no domain', async (scene) => {
    await expect(scene.create({ guest: 'broken' })).rejects.toMatchObject({ name: 'VirError' })
    expect(await scene.connection.domains.list()).toEqual([])
  })
}
