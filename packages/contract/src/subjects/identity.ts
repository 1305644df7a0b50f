import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

const [uuidA, uuidB] = ['11c7a3b2-9d5e-4c80-b6f1-70e2d4a8c301', '22d8b4c3-ae6f-4d91-87a2-81f3e5b9d412']

/** Names and uuids are each unique in a connection. */
export function identity({ test }: Suite): void {
  test('define refuses a name that another domain has', async (scene) => {
    const { name } = await scene.define({ uuid: uuidA })
    await scene.refuses('DOM_EXIST', () => scene.define({ name, uuid: uuidB }))
  })

  test('define without a uuid refuses a name that a domain has', async (scene) => {
    const { name } = await scene.define()
    await scene.refuses('DOM_EXIST', () => scene.define({ name }))
  })

  test('define refuses a uuid that another domain has', async (scene) => {
    await scene.define({ uuid: uuidA })
    await scene.refuses('DOM_EXIST', () => scene.define({ uuid: uuidA }))
  })

  test('define refuses the name of one domain with the uuid of another', async (scene) => {
    const { name } = await scene.define({ uuid: uuidA })
    await scene.define({ uuid: uuidB })
    await scene.refuses('DOM_EXIST', () => scene.define({ name, uuid: uuidB }))
  })

  test('define refuses the name of a transient domain with another uuid', async (scene) => {
    const { name } = await scene.create({ uuid: uuidA })
    await scene.refuses('DOM_EXIST', () => scene.define({ name, uuid: uuidB }))
  })

  test('create refuses a name that another domain has', async (scene) => {
    const { name } = await scene.define({ uuid: uuidA })
    await scene.refuses('DOM_EXIST', () => scene.create({ name, uuid: uuidB }))
  })

  test('create refuses a uuid that another domain has', async (scene) => {
    await scene.create({ uuid: uuidA })
    await scene.refuses('DOM_EXIST', () => scene.create({ uuid: uuidA }))
  })

  test('of two definitions of one name made at the same time, one wins', async (scene) => {
    const name = scene.world.uniqueName('dom')
    const results = await Promise.allSettled([
      scene.define({ name, uuid: uuidA }),
      scene.define({ name, uuid: uuidB }),
    ])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const refused = results.find((result) => result.status === 'rejected')
    expect(refused?.reason).toMatchObject({ code: 'DOM_EXIST' })
    expect(await scene.connection.domains.list()).toHaveLength(1)
  })

  test('of two creates of one name made at the same time, one wins', async (scene) => {
    const name = scene.world.uniqueName('dom')
    const results = await Promise.allSettled([
      scene.create({ name, uuid: uuidA }),
      scene.create({ name, uuid: uuidB }),
    ])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await scene.connection.domains.list({ active: true })).toHaveLength(1)
  })

  test('a uuid is given in any form and kept in lower case with dashes', async (scene) => {
    const domain = await scene.define({ uuid: uuidA.toUpperCase().replaceAll('-', '') })
    expect(domain.uuid).toBe(uuidA)
    expect((await scene.connection.domains.lookupByUuid(uuidA.toUpperCase())).name).toBe(domain.name)
  })

  test('names differ by case', async (scene) => {
    const name = scene.world.uniqueName('dom')
    await scene.define({ name: `${name}a` })
    await scene.define({ name: `${name}A` })
    expect(await scene.connection.domains.list()).toHaveLength(2)
  })

  test('a domain is found by the uuid of its reference, whatever else that says', async (scene) => {
    const { uuid } = await scene.define()
    const state = await scene.connection.driver.getDomainState({ uuid, name: 'stale', id: 4711 })
    expect(state.state).toBe('shutoff')
  })
}
