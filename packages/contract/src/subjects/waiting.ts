import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** `Domain.waitFor`. */
export function waiting({ test }: Suite): void {
  test('a wait for the present state is over at once', async (scene) => {
    const domain = await scene.define()
    expect(await domain.waitFor('shutoff')).toMatchObject({ state: 'shutoff' })
  })

  test('a wait ends when the state comes', async (scene) => {
    const domain = await scene.define()
    const waits = domain.waitFor('paused')
    await domain.start()
    await domain.suspend()
    expect(await waits).toEqual({ state: 'paused', reason: 'user' })
  })

  test('a wait for one of several states ends with the first that comes', async (scene) => {
    const domain = await scene.running()
    const waits = domain.waitFor(['paused', 'shutoff'])
    await domain.destroy()
    expect(await waits).toEqual({ state: 'shutoff', reason: 'destroyed' })
  })

  test('a transient domain that disappears counts as shutoff', async (scene) => {
    const domain = await scene.create()
    const waits = domain.waitFor('shutoff')
    await domain.destroy()
    expect(await waits).toEqual({ state: 'shutoff', reason: 'destroyed' })
  })

  test('a transient domain that has disappeared before counts as shutoff, too', async (scene) => {
    const domain = await scene.create()
    await domain.destroy()
    expect(await domain.waitFor('shutoff')).toMatchObject({ state: 'shutoff' })
    await expect(domain.waitFor('running')).rejects.toMatchObject({ code: 'NO_DOMAIN' })
  })

  test('a wait for another state ends with NO_DOMAIN when the domain disappears', async (scene) => {
    const domain = await scene.create()
    const waits = domain.waitFor('paused').catch((error) => error)
    await domain.state()
    await domain.destroy()
    expect(await waits).toMatchObject({ code: 'NO_DOMAIN' })
  })

  test('a wait is cancelled by its signal', async (scene) => {
    const domain = await scene.define()
    const controller = new AbortController()
    const waits = domain.waitFor('running', { signal: controller.signal })
    controller.abort()
    await expect(waits).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
  })

  test('what is no state is a TypeError', async (scene) => {
    const domain = await scene.define()
    await expect(domain.waitFor('asleep' as 'running')).rejects.toThrow(TypeError)
  })
}
