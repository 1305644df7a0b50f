import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** Giving a domain another name. */
export function renaming({ test }: Suite): void {
  test('a domain goes by its new name, keeps its uuid, and the old name is free', async (scene) => {
    const domain = await scene.define({ elements: '<title>kept</title>' })
    const { uuid, name } = domain
    const newName = scene.world.uniqueName('new')
    await domain.rename(newName)
    expect(domain.ref).toEqual({ uuid, name: newName })
    expect((await scene.connection.domains.lookupByName(newName)).uuid).toBe(uuid)
    const xml = await domain.xml()
    expect(xml).toContain(`<name>${newName}</name>`)
    expect(xml).toContain('<title>kept</title>')
    await scene.refuses('NO_DOMAIN', () => scene.connection.domains.lookupByName(name))
    await expect(scene.define({ name })).resolves.toMatchObject({ name })
  })

  test('it is told as the end of the old name and the beginning of the new', async (scene) => {
    const domain = await scene.define()
    const { name } = domain
    const newName = scene.world.uniqueName('new')
    expect(await scene.eventsOf(() => domain.rename(newName))).toEqual([
      'undefined/renamed',
      'defined/renamed',
    ])
    expect(scene.events.domains()).toEqual([name, newName])
  })

  test('the new name and the mark of autostart outlive the connection', async (scene) => {
    const domain = await scene.define()
    await domain.setAutostart(true)
    const newName = scene.world.uniqueName('new')
    await domain.rename(newName)
    await scene.reopen()
    const again = await scene.again(domain)
    expect(again.name).toBe(newName)
    expect(await again.getAutostart()).toBe(true)
    expect(await scene.connection.domains.list()).toHaveLength(1)
  })

  test('a renamed domain starts', async (scene) => {
    const domain = await scene.running()
    await domain.destroy()
    await domain.rename(scene.world.uniqueName('new'))
    await domain.start()
    await scene.until(scene.world.ready(domain))
    expect(await domain.state()).toMatchObject({ state: 'running' })
  })

  test('the name of another domain is refused, as is the one that it has', async (scene) => {
    const domain = await scene.define()
    const other = await scene.define()
    await scene.refuses('DOM_EXIST', () => domain.rename(other.name))
    await scene.refuses('OPERATION_INVALID', () => domain.rename(domain.name))
  })

  test('a name that no domain can have is refused', async (scene) => {
    const domain = await scene.define()
    for (const name of ['', 'a/b', '..']) await scene.refuses('XML_ERROR', () => domain.rename(name))
  })

  test('an active domain and a transient one keep their names', async (scene) => {
    const active = await scene.running()
    const transient = await scene.create()
    await scene.refuses('OPERATION_INVALID', () => active.rename(scene.world.uniqueName('new')))
    await scene.refuses('OPERATION_INVALID', () => transient.rename(scene.world.uniqueName('new')))
  })

  test('of two domains that want the same name one gets it', async (scene) => {
    const domains = [await scene.define(), await scene.define()]
    const newName = scene.world.uniqueName('new')
    const outcomes = await Promise.allSettled(domains.map((domain) => domain.rename(newName)))
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect((await scene.connection.domains.list()).filter(({ name }) => name === newName)).toHaveLength(1)
  })
}
