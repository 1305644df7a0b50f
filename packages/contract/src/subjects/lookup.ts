import { expect } from '@jest/globals'
import type { Scene } from '../scene.js'
import type { Suite } from '../suite.js'

/** Domains are found by name, uuid and id, and listed by what they are. */
export function lookup({ test }: Suite): void {
  test('a world without domains lists none', async (scene) => {
    expect(await scene.connection.domains.list()).toEqual([])
    expect(await scene.connection.domains.stats()).toEqual([])
  })

  test('a domain is found by name, by uuid and, while it is active, by id', async (scene) => {
    const domain = await scene.running()
    const id = await domain.id()
    const { domains } = scene.connection
    expect((await domains.lookupByName(domain.name)).uuid).toBe(domain.uuid)
    expect((await domains.lookupByUuid(domain.uuid)).name).toBe(domain.name)
    expect((await domains.lookupById(id ?? 0)).uuid).toBe(domain.uuid)
  })

  test('what does not exist is NO_DOMAIN, and the message says what was looked for', async (scene) => {
    const { domains } = scene.connection
    const uuid = '00000000-0000-4000-8000-000000000000'
    const byName = await scene.refuses('NO_DOMAIN', () => domains.lookupByName('nobody'))
    expect(byName.message).toContain('nobody')
    const byUuid = await scene.refuses('NO_DOMAIN', () => domains.lookupByUuid(uuid))
    expect(byUuid.message).toContain(uuid)
    const byId = await scene.refuses('NO_DOMAIN', () => domains.lookupById(987654))
    expect(byId.message).toContain('987654')
  })

  test('names that are properties of objects are names of no domain', async (scene) => {
    for (const name of ['__proto__', 'constructor', 'toString', '']) {
      await scene.refuses('NO_DOMAIN', () => scene.connection.domains.lookupByName(name))
    }
  })

  test('a uuid that is none is refused as an invalid argument or as unknown', async (scene) => {
    await expect(scene.connection.domains.lookupByUuid('zzz')).rejects.toMatchObject({
      code: expect.stringMatching(/^(INVALID_ARG|NO_DOMAIN)$/),
    })
  })

  test('the id of a domain that went off finds nothing', async (scene) => {
    const domain = await scene.running()
    const id = (await domain.id()) ?? 0
    await domain.destroy()
    await scene.refuses('NO_DOMAIN', () => scene.connection.domains.lookupById(id))
  })

  test('ids are unique among the active domains', async (scene) => {
    const ids = await Promise.all([1, 2, 3].map(async () => (await scene.create()).id()))
    expect(new Set(ids).size).toBe(3)
  })

  test('a list without a filter holds every domain once', async (scene) => {
    const { off, persistent, transient } = await threeDomains(scene)
    expect(await listed(scene)).toEqual(sorted([off, persistent, transient]))
  })

  test('a reference has an id exactly while its domain is active', async (scene) => {
    const { off, persistent, transient } = await threeDomains(scene)
    const refs = await scene.connection.driver.listDomains()
    const active = refs.filter(({ id }) => id !== undefined).map(({ name }) => name)
    expect(sorted(active)).toEqual(sorted([persistent, transient]))
    expect(active).not.toContain(off)
  })

  test('lists are filtered by activity, persistence and autostart', async (scene) => {
    const { off, persistent, transient } = await threeDomains(scene)
    expect(await listed(scene, { active: true })).toEqual(sorted([persistent, transient]))
    expect(await listed(scene, { active: false })).toEqual([off])
    expect(await listed(scene, { persistent: true })).toEqual(sorted([off, persistent]))
    expect(await listed(scene, { persistent: false })).toEqual([transient])
    expect(await listed(scene, { autostart: true })).toEqual([off])
    expect(await listed(scene, { autostart: false })).toEqual(sorted([persistent, transient]))
  })

  test('lists are filtered by state', async (scene) => {
    const { off, persistent, transient } = await threeDomains(scene)
    await (await scene.connection.domains.lookupByName(transient)).suspend()
    expect(await listed(scene, { states: ['paused'] })).toEqual([transient])
    expect(await listed(scene, { states: ['running', 'shutoff'] })).toEqual(sorted([off, persistent]))
    expect(await listed(scene, { states: [] })).toEqual([])
  })

  test('all keys of a filter must hold', async (scene) => {
    const { persistent } = await threeDomains(scene)
    expect(await listed(scene, { active: true, persistent: true })).toEqual([persistent])
    expect(await listed(scene, { active: true, autostart: true })).toEqual([])
    expect(await listed(scene, { active: undefined, persistent: true, states: ['running'] })).toEqual([
      persistent,
    ])
  })

  test('domains that vanish while they are listed are left out and fail nothing', async (scene) => {
    const { domains } = scene.connection
    const transient = await Promise.all([1, 2, 3].map(() => scene.create()))
    const lists = transient.flatMap((domain) => [domain.destroy(), domains.list(), domains.stats()])
    await Promise.all(lists)
    expect(await domains.list()).toEqual([])
  })
}

type Filter = Parameters<Scene['connection']['domains']['list']>[0]

/** The names of the domains that pass; the lists of references and of statistics must agree. */
async function listed(scene: Scene, filter?: Filter): Promise<string[]> {
  const domains = await scene.connection.domains.list(filter)
  const stats = await scene.connection.domains.stats(filter)
  const names = sorted(domains.map(({ name }) => name))
  expect(sorted(stats.map(({ domain }) => domain.name))).toEqual(names)
  return names
}

/** One that is off and marked for autostart, one persistent and one transient that run. */
async function threeDomains(scene: Scene): Promise<Record<'off' | 'persistent' | 'transient', string>> {
  const off = await scene.define()
  await off.setAutostart(true)
  const persistent = await scene.define()
  await persistent.start()
  const transient = await scene.create()
  return { off: off.name, persistent: persistent.name, transient: transient.name }
}

function sorted(names: readonly string[]): string[] {
  return [...names].sort()
}
