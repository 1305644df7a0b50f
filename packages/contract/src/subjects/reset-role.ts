import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** The role `reset`. */
export function resetRole({ test, needing }: Suite): void {
  test('reset keeps the domain active with the same id, and emits reboot', async (scene) => {
    const domain = await scene.running()
    const id = await domain.id()
    scene.events.clear()
    await domain.reset()
    await scene.seen('reboot', domain)
    expect(scene.events.names()).toEqual(['reboot'])
    expect(await domain.id()).toBe(id)
    expect(await domain.state()).toMatchObject({ state: 'running' })
  })

  test('a guest comes up again after its reset', async (scene) => {
    const domain = await scene.running()
    await domain.reset()
    await scene.seen('reboot', domain)
    await scene.until(scene.world.ready(domain))
    await domain.shutdown()
    await scene.state(domain, 'shutoff')
  })

  needing('deaf', 'a guest that acts on nothing is reset all the same', async (scene) => {
    const domain = await scene.running({ guest: 'deaf' })
    await domain.reset()
    await scene.seen('reboot', domain)
    expect(await domain.isActive()).toBe(true)
  })
}
