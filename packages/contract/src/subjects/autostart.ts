import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** The mark of the domains that are to be started when the host boots. */
export function autostart({ test }: Suite): void {
  test('a new domain is not marked', async (scene) => {
    const domain = await scene.define()
    expect(await domain.getAutostart()).toBe(false)
  })

  test('the mark is set and taken away again', async (scene) => {
    const domain = await scene.define()
    await domain.setAutostart(true)
    expect(await domain.getAutostart()).toBe(true)
    await domain.setAutostart(false)
    expect(await domain.getAutostart()).toBe(false)
  })

  test('setting the mark twice, or taking it away twice, is as good as once', async (scene) => {
    const domain = await scene.define()
    await domain.setAutostart(false)
    await domain.setAutostart(true)
    await domain.setAutostart(true)
    expect(await domain.getAutostart()).toBe(true)
  })

  test('the mark can be set while the domain is active', async (scene) => {
    const domain = await scene.running()
    await domain.setAutostart(true)
    expect(await domain.getAutostart()).toBe(true)
  })

  test('the mark outlives a redefinition', async (scene) => {
    const domain = await scene.define()
    await domain.setAutostart(true)
    await scene.define({ name: domain.name, uuid: domain.uuid, elements: '<title>new</title>' })
    expect(await domain.getAutostart()).toBe(true)
    await scene.reopen()
    expect(await (await scene.again(domain)).getAutostart()).toBe(true)
  })

  test('the mark outlives the connection, and opening starts nothing', async (scene) => {
    const domain = await scene.define()
    await domain.setAutostart(true)
    await scene.reopen()
    const again = await scene.again(domain)
    expect(await again.getAutostart()).toBe(true)
    expect(await again.isActive()).toBe(false)
  })

  test('undefine removes the mark, so that a later domain of this name has none', async (scene) => {
    const spec = { name: scene.world.uniqueName('dom'), uuid: '7d0b1c9e-38a4-4f0f-8a57-1e6c4b2d9f30' }
    const domain = await scene.define(spec)
    await domain.setAutostart(true)
    await domain.undefine()
    expect(await (await scene.define(spec)).getAutostart()).toBe(false)
  })

  test('a transient domain cannot be marked', async (scene) => {
    const domain = await scene.create()
    await scene.refuses('OPERATION_INVALID', () => domain.setAutostart(true))
    expect(await domain.getAutostart()).toBe(false)
  })

  test('a domain that was undefined while it was active is not marked any more', async (scene) => {
    const domain = await scene.running()
    await domain.setAutostart(true)
    await domain.undefine()
    expect(await domain.getAutostart()).toBe(false)
  })
}
