import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** A domain that has a stored definition. */
export function persistentLife({ test, needing }: Suite): void {
  test('a newly defined domain is persistent and off, and has no id', async (scene) => {
    const domain = await scene.define()
    expect(await domain.state()).toMatchObject({ state: 'shutoff' })
    expect(await domain.isPersistent()).toBe(true)
    expect(await domain.id()).toBeUndefined()
  })

  test('define of a new domain emits defined/added and nothing else', async (scene) => {
    expect(await scene.eventsOf(() => scene.define())).toEqual(['defined/added'])
  })

  test('a domain keeps the uuid of its definition, and gets one where that has none', async (scene) => {
    const uuid = '0c3a8f0e-4c57-4ab1-9f42-6d2b8a1c7e55'
    expect((await scene.define({ uuid })).uuid).toBe(uuid)
    const [first, second] = [await scene.define(), await scene.define()]
    expect(first.uuid).not.toBe(second.uuid)
    expect(await first.xml()).toContain(`<uuid>${first.uuid}</uuid>`)
  })

  test('start makes it running and active, and emits started/booted', async (scene) => {
    const domain = await scene.define()
    expect(await scene.eventsOf(() => domain.start())).toEqual(['started/booted'])
    expect(await domain.state()).toEqual({ state: 'running', reason: 'booted' })
    expect(await domain.isActive()).toBe(true)
  })

  test('start resolves to the reference that is now valid, with an id', async (scene) => {
    const { name, uuid, ref } = await scene.define()
    const started = await scene.connection.driver.startDomain(ref)
    expect(started).toEqual({ name, uuid, id: expect.any(Number) })
    expect(await scene.connection.driver.lookupDomain({ uuid })).toEqual(started)
  })

  test('each start gives a new id', async (scene) => {
    const domain = await scene.define()
    await domain.start()
    const first = await domain.id()
    await domain.destroy()
    await domain.start()
    expect(await domain.id()).not.toBe(first)
  })

  test('shutdown takes it to shutoff, and emits stopped/shutdown', async (scene) => {
    const domain = await scene.running()
    await domain.shutdown()
    expect(await scene.state(domain, 'shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
    await scene.seen('stopped/shutdown', domain)
    expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'shutdown' })
    expect(await domain.id()).toBeUndefined()
  })

  test('destroy takes it to shutoff before it resolves, and emits stopped/destroyed', async (scene) => {
    const domain = await scene.running()
    expect(await scene.eventsOf(() => domain.destroy())).toEqual(['stopped/destroyed'])
    expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'destroyed' })
    expect(await domain.isPersistent()).toBe(true)
  })

  test('destroy frees what the guest held, so that it starts again at once', async (scene) => {
    const domain = await scene.running()
    await domain.destroy()
    await domain.start()
    await domain.destroy()
    await domain.start()
    expect(await domain.isActive()).toBe(true)
  })

  needing('powerOff', 'a guest that switches itself off takes it to shutoff', async (scene) => {
    const domain = await scene.running()
    await scene.world.powerOff?.(domain)
    expect(await scene.state(domain, 'shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
  })

  test('undefine of a domain that is off removes it, and emits undefined/removed', async (scene) => {
    const domain = await scene.define()
    expect(await scene.eventsOf(() => domain.undefine())).toEqual(['undefined/removed'])
    await scene.refuses('NO_DOMAIN', () => domain.state())
    expect(await scene.connection.domains.list()).toEqual([])
  })

  test('undefine of an active domain leaves it running, as a transient one', async (scene) => {
    const domain = await scene.running()
    const id = await domain.id()
    expect(await scene.eventsOf(() => domain.undefine())).toEqual(['undefined/removed'])
    expect(await domain.isPersistent()).toBe(false)
    expect(await domain.state()).toEqual({ state: 'running', reason: 'booted' })
    expect(await domain.id()).toBe(id)
    await domain.destroy()
    await scene.refuses('NO_DOMAIN', () => domain.state())
  })

  test('an undefined name can be defined again', async (scene) => {
    const name = scene.world.uniqueName('dom')
    await (await scene.define({ name })).undefine()
    expect((await scene.define({ name })).name).toBe(name)
  })

  needing('broken', 'a start that fails leaves it off, and what was announced is revoked', async (scene) => {
    const domain = await scene.define({ guest: 'broken' })
    scene.events.clear()
    await expect(domain.start()).rejects.toMatchObject({
      name: 'VirError',
      message: expect.stringMatching(/\S/),
    })
    expect(await domain.state()).toMatchObject({ state: 'shutoff' })
    expect(await domain.id()).toBeUndefined()
    expect([[], ['started/booted', 'stopped/failed']]).toContainEqual(scene.events.names())
  })

  needing('broken', 'a domain whose start has failed can be redefined and started', async (scene) => {
    const domain = await scene.define({ guest: 'broken' })
    await expect(domain.start()).rejects.toThrow()
    const mended = await scene.define({ name: domain.name, uuid: domain.uuid })
    await mended.start()
    expect(await mended.isActive()).toBe(true)
  })
}
