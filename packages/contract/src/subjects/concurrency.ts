import { expect } from '@jest/globals'
import { rejection } from '../scene.js'
import type { Suite } from '../suite.js'

/** Calls may overlap freely; what changes a domain runs one at a time, in the order of the calls. */
export function concurrency({ test, needing }: Suite): void {
  test('of several starts of one domain made at the same time, exactly one wins', async (scene) => {
    const domain = await scene.define()
    scene.events.clear()
    const results = await Promise.allSettled([1, 2, 3, 4].map(() => domain.start()))
    const refused = results.filter((result) => result.status === 'rejected')
    expect(refused.map(({ reason }) => reason.code)).toEqual(Array(3).fill('OPERATION_INVALID'))
    expect(scene.events.names()).toEqual(['started/booted'])
  })

  test('calls for one domain run in the order in which they were made', async (scene) => {
    const domain = await scene.define()
    scene.events.clear()
    await Promise.all([domain.start(), domain.suspend(), domain.resume(), domain.suspend()])
    expect(scene.events.names()).toEqual([
      'started/booted',
      'suspended/paused',
      'resumed/unpaused',
      'suspended/paused',
    ])
    expect(await domain.state()).toEqual({ state: 'paused', reason: 'user' })
  })

  test('a refused call does not hold up those after it', async (scene) => {
    const domain = await scene.define()
    const [first, second, third] = await Promise.allSettled([
      domain.suspend(),
      domain.start(),
      domain.suspend(),
    ])
    expect([first?.status, second?.status, third?.status]).toEqual(['rejected', 'fulfilled', 'fulfilled'])
  })

  test('several domains start, and stop, at the same time', async (scene) => {
    const domains = await Promise.all([1, 2, 3, 4].map(() => scene.define()))
    await Promise.all(domains.map((domain) => domain.start()))
    expect(await scene.connection.domains.list({ states: ['running'] })).toHaveLength(4)
    await Promise.all(domains.map((domain) => domain.destroy()))
    expect(await scene.connection.domains.list({ active: true })).toEqual([])
  })

  test('destroy aborts the start that is under way, and leaves no guest', async (scene) => {
    const domain = await scene.define()
    const starting = domain.start()
    const [started, destroyed] = await Promise.allSettled([starting, domain.destroy()])
    expect(started).toMatchObject({ status: 'rejected', reason: { code: 'OPERATION_ABORTED' } })
    if (destroyed.status === 'rejected') expect(destroyed.reason.code).toBe('OPERATION_INVALID')
    expect(await domain.state()).toMatchObject({ state: 'shutoff' })
    await domain.start()
    expect(await domain.isActive()).toBe(true)
  })

  test('destroy goes before the calls that wait', async (scene) => {
    const domain = await scene.running()
    const results = await Promise.allSettled([domain.suspend(), domain.resume(), domain.destroy()])
    expect(results[2]).toMatchObject({ status: 'fulfilled' })
    expect(results[1]).toMatchObject({ status: 'rejected', reason: { code: 'OPERATION_INVALID' } })
    expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'destroyed' })
  })

  test('of two destroys at the same time, the guest is destroyed once', async (scene) => {
    const domain = await scene.running()
    scene.events.clear()
    const results = await Promise.allSettled([domain.destroy(), domain.destroy()])
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason.code).toMatch(/^OPERATION_(INVALID|ABORTED)$/)
    }
    expect(scene.events.names()).toEqual(['stopped/destroyed'])
  })

  test('a transient domain is destroyed and created again in one breath', async (scene) => {
    const spec = { name: scene.world.uniqueName('dom'), uuid: '3f2b9d11-7c4e-4a58-9e60-b1d8c7a5f204' }
    const domain = await scene.create(spec)
    await domain.destroy()
    const again = await scene.create(spec)
    expect(await again.state()).toEqual({ state: 'running', reason: 'booted' })
  })

  test('queries are answered while a domain starts', async (scene) => {
    const domain = await scene.define()
    const starting = domain.start()
    await Promise.all([domain.state(), domain.info(), domain.xml(), domain.getAutostart()])
    expect(await scene.connection.domains.stats()).toHaveLength(1)
    await starting
  })

  test('define and undefine made at the same time take effect in turn', async (scene) => {
    const domain = await scene.define()
    const { name, uuid } = domain
    scene.events.clear()
    await Promise.all([domain.undefine(), scene.define({ name, uuid })])
    expect(scene.events.names()).toEqual(['undefined/removed', 'defined/added'])
    expect(await domain.isPersistent()).toBe(true)
  })

  needing('slow', 'queries do not wait for a start that takes its time', async (scene) => {
    const domain = await scene.define({ guest: 'slow' })
    const starting = domain.start()
    expect(await domain.state()).toMatchObject({ state: 'shutoff' })
    expect(await domain.info()).toMatchObject({ maxMemoryKib: expect.any(Number) })
    expect(await scene.connection.domains.list()).toHaveLength(1)
    const started = starting.catch((error) => error)
    await domain.destroy().catch(() => {})
    expect(await started).toMatchObject({ code: 'OPERATION_ABORTED' })
  })

  needing('slow', 'destroy does not wait for a start that takes its time', async (scene) => {
    const domain = await scene.define({ guest: 'slow' })
    const starting = domain.start().catch((error) => error)
    await domain.destroy().catch(() => {})
    expect(await starting).toMatchObject({ code: 'OPERATION_ABORTED' })
    expect(await domain.state()).toMatchObject({ state: 'shutoff' })
  })

  needing('slow', 'one domain does not wait for another', async (scene) => {
    const slow = await scene.define({ guest: 'slow' })
    const starting = slow.start().catch((error) => error)
    const other = await scene.define()
    await other.start()
    expect(await other.isActive()).toBe(true)
    expect(await slow.isActive()).toBe(false)
    await slow.destroy().catch(() => {})
    expect(await starting).toMatchObject({ code: 'OPERATION_ABORTED' })
  })

  needing(
    ['stuck', 'advance'],
    'a call that has waited too long is told what it waited for',
    async (scene) => {
      const domain = await scene.define({ guest: 'stuck' })
      const starting = domain.start().catch((error) => error)
      const error = await scene.until(rejection(() => domain.suspend()))
      expect(error).toMatchObject({ code: 'OPERATION_TIMEOUT', message: expect.stringMatching(/start/) })
      await domain.destroy().catch(() => {})
      expect(await starting).toMatchObject({ code: 'OPERATION_ABORTED' })
    },
  )
}
