import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** A guest that does not run for a while. */
export function pausing({ test, needing }: Suite): void {
  test('suspend pauses, and emits suspended/paused', async (scene) => {
    const domain = await scene.running()
    expect(await scene.eventsOf(() => domain.suspend())).toEqual(['suspended/paused'])
    expect(await domain.state()).toEqual({ state: 'paused', reason: 'user' })
    expect(await domain.isActive()).toBe(true)
  })

  test('resume lets it go on, and emits resumed/unpaused', async (scene) => {
    const domain = await scene.paused()
    const id = await domain.id()
    expect(await scene.eventsOf(() => domain.resume())).toEqual(['resumed/unpaused'])
    expect(await domain.state()).toEqual({ state: 'running', reason: 'unpaused' })
    expect(await domain.id()).toBe(id)
  })

  test('suspending a paused domain does nothing', async (scene) => {
    const domain = await scene.paused()
    expect(await scene.eventsOf(() => domain.suspend())).toEqual([])
    expect(await domain.state()).toEqual({ state: 'paused', reason: 'user' })
  })

  test('resuming a running domain does nothing', async (scene) => {
    const domain = await scene.running()
    expect(await scene.eventsOf(() => domain.resume())).toEqual([])
    expect(await domain.state()).toEqual({ state: 'running', reason: 'booted' })
  })

  test('a paused domain still says what it is and uses', async (scene) => {
    const domain = await scene.paused()
    const info = await domain.info()
    expect(info.state).toEqual({ state: 'paused', reason: 'user' })
    expect(info.memoryKib).toBeGreaterThan(0)
  })

  test('start leaves the guest paused where so asked, and then emits suspended/paused', async (scene) => {
    const domain = await scene.define()
    expect(await scene.eventsOf(() => domain.start({ paused: true }))).toEqual([
      'started/booted',
      'suspended/paused',
    ])
    expect(await domain.state()).toEqual({ state: 'paused', reason: 'user' })
  })

  test('create leaves the guest paused where so asked', async (scene) => {
    const domain = await scene.create({}, { paused: true })
    expect(await domain.state()).toEqual({ state: 'paused', reason: 'user' })
  })

  test('a guest that was started paused comes up when it is resumed', async (scene) => {
    const domain = await scene.define()
    await domain.start({ paused: true })
    await domain.resume()
    expect(await domain.state()).toEqual({ state: 'running', reason: 'unpaused' })
    await scene.until(scene.world.ready(domain))
    await domain.shutdown()
    await scene.state(domain, 'shutoff')
  })

  test('shutdown of a paused domain resumes it first, so that it can act', async (scene) => {
    const domain = await scene.paused()
    await domain.shutdown()
    expect(await scene.state(domain, 'shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
    expect(scene.events.names(domain).slice(-2)).toEqual(['resumed/unpaused', 'stopped/shutdown'])
  })

  needing('reboots', 'reboot of a paused domain resumes it first', async (scene) => {
    const domain = await scene.paused()
    scene.events.clear()
    await domain.reboot()
    await scene.seen('reboot', domain)
    expect(scene.events.names()).toEqual(['resumed/unpaused', 'reboot'])
  })

  test('a paused domain is destroyed as any other', async (scene) => {
    const domain = await scene.paused()
    expect(await scene.eventsOf(() => domain.destroy())).toEqual(['stopped/destroyed'])
    expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'destroyed' })
  })
}
