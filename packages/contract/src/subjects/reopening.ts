import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** The next open finds what the last close left. */
export function reopening({ test, needing }: Suite): void {
  test('definitions are found again as they were', async (scene) => {
    const domain = await scene.define({ elements: '<title>kept</title>' })
    const xml = await domain.xml({ secure: true })
    await scene.reopen()
    const again = await scene.again(domain)
    expect(again.name).toBe(domain.name)
    expect(await again.xml({ secure: true })).toBe(xml)
    expect(await again.isPersistent()).toBe(true)
    expect(await again.isActive()).toBe(false)
  })

  test('an undefined domain is not found again', async (scene) => {
    const domain = await scene.define()
    await domain.undefine()
    await scene.reopen()
    expect(await scene.connection.domains.list()).toEqual([])
  })

  test('a guest that runs is found again, with its id and document', async (scene) => {
    const domain = await scene.running()
    const before = { id: await domain.id(), xml: await domain.xml(), state: await domain.state() }
    await scene.reopen()
    const again = await scene.again(domain)
    expect({ id: await again.id(), xml: await again.xml(), state: await again.state() }).toEqual(before)
    expect((await again.info()).memoryKib).toBeGreaterThan(0)
  })

  test('finding a guest again emits nothing and starts nothing', async (scene) => {
    await scene.running()
    await scene.define()
    scene.events.clear()
    await scene.reopen()
    expect(await scene.connection.domains.list({ active: true })).toHaveLength(1)
    expect(scene.events.names()).toEqual([])
  })

  test('a transient domain is found again and is still transient', async (scene) => {
    const domain = await scene.create({ elements: '<title>kept</title>' })
    await scene.reopen()
    const again = await scene.again(domain)
    expect(await again.isPersistent()).toBe(false)
    expect(await again.state()).toEqual({ state: 'running', reason: 'booted' })
    expect(await again.xml({ inactive: true })).toContain('<title>kept</title>')
    await again.destroy()
    await scene.refuses('NO_DOMAIN', () => again.state())
  })

  test('a domain that was undefined while it ran is transient', async (scene) => {
    const domain = await scene.running()
    await domain.undefine()
    await scene.reopen()
    expect(await (await scene.again(domain)).isPersistent()).toBe(false)
  })

  test('a paused guest is paused, and goes on when it is resumed', async (scene) => {
    const domain = await scene.paused()
    await scene.reopen()
    const again = await scene.again(domain)
    expect(await again.state()).toEqual({ state: 'paused', reason: 'user' })
    await again.resume()
    expect(await again.state()).toEqual({ state: 'running', reason: 'unpaused' })
  })

  test('a redefinition that waits for the next start waits on', async (scene) => {
    const { name, uuid } = await scene.running({ elements: '<title>old</title>' })
    await scene.define({ name, uuid, elements: '<title>new</title>' })
    await scene.reopen()
    const again = await scene.again({ uuid })
    expect(await again.xml()).toContain('<title>old</title>')
    expect(await again.xml({ inactive: true })).toContain('<title>new</title>')
  })

  test('a guest found again is destroyed as any other', async (scene) => {
    const domain = await scene.running()
    await scene.reopen()
    const again = await scene.again(domain)
    expect(await scene.eventsOf(() => again.destroy())).toEqual(['stopped/destroyed'])
    expect(await again.state()).toEqual({ state: 'shutoff', reason: 'destroyed' })
    await again.start()
    expect(await again.isActive()).toBe(true)
  })

  test('a guest found again is shut down as any other', async (scene) => {
    const domain = await scene.running()
    await scene.reopen()
    const again = await scene.again(domain)
    await again.shutdown()
    expect(await scene.state(again, 'shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
  })

  test('the id of a guest found again is given to no other', async (scene) => {
    const domain = await scene.running()
    await scene.reopen()
    const other = await scene.create()
    expect(await other.id()).not.toBe(await (await scene.again(domain)).id())
  })

  needing('kill', 'the end of a guest found again is noticed', async (scene) => {
    const domain = await scene.running()
    await scene.reopen()
    const again = await scene.again(domain)
    await scene.world.kill?.(again)
    await scene.seen('stopped/crashed', again)
    expect(await again.state()).toEqual({ state: 'shutoff', reason: 'crashed' })
  })

  needing(
    'kill',
    'a guest that died while nobody looked is off, and its domain starts again',
    async (scene) => {
      const domain = await scene.running()
      await scene.reopen({ meanwhile: async () => scene.world.kill?.(domain) })
      const again = await scene.again(domain)
      expect(await again.state()).toMatchObject({ state: 'shutoff' })
      expect(await again.id()).toBeUndefined()
      await again.start()
      expect(await again.isActive()).toBe(true)
    },
  )

  needing('kill', 'a transient domain that died while nobody looked has gone', async (scene) => {
    const domain = await scene.create()
    await scene.until(scene.world.ready(domain))
    await scene.reopen({ meanwhile: async () => scene.world.kill?.(domain) })
    expect(await scene.connection.domains.list()).toEqual([])
    expect((await scene.create({ name: domain.name })).name).toBe(domain.name)
  })

  needing('panic', 'a guest that is kept after its panic is found again so', async (scene) => {
    const domain = await scene.running({ elements: '<on_crash>preserve</on_crash>' })
    await scene.world.panic?.(domain)
    await scene.state(domain, 'crashed')
    await scene.reopen()
    expect(await (await scene.again(domain)).state()).toEqual({ state: 'crashed', reason: 'panicked' })
  })
}
