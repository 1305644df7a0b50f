import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** Guests that die or panic. */
export function crashing({ needing }: Suite): void {
  needing('kill', 'a guest that dies takes its domain to shutoff/crashed', async (scene) => {
    const domain = await scene.running()
    await scene.world.kill?.(domain)
    await scene.seen('stopped/crashed', domain)
    expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'crashed' })
    expect(await domain.id()).toBeUndefined()
  })

  needing('kill', 'a transient domain whose guest dies disappears', async (scene) => {
    const domain = await scene.create()
    await scene.until(scene.world.ready(domain))
    await scene.world.kill?.(domain)
    await scene.seen('stopped/crashed', domain)
    await scene.refuses('NO_DOMAIN', () => domain.state())
  })

  needing('kill', 'a domain whose guest has died starts again', async (scene) => {
    const domain = await scene.running()
    await scene.world.kill?.(domain)
    await scene.state(domain, 'shutoff')
    await domain.start()
    expect(await domain.state()).toEqual({ state: 'running', reason: 'booted' })
  })

  needing('kill', 'a domain starts again as soon as the end of its guest is told', async (scene) => {
    const domain = await scene.running()
    const again = new Promise((resolve) => {
      const unsubscribe = scene.connection.driver.subscribe((event) => {
        if (event.type !== 'lifecycle' || event.event !== 'stopped') return
        unsubscribe()
        resolve(domain.start())
      })
    })
    await scene.world.kill?.(domain)
    await scene.until(again)
    expect(await domain.state()).toEqual({ state: 'running', reason: 'booted' })
  })

  needing('kill', 'a transient domain that has gone gives its name free, and all it held', async (scene) => {
    const name = scene.world.uniqueName('dom')
    const domain = await scene.connection.domains.create(scene.xml({ name }))
    const again = new Promise<typeof domain>((resolve) => {
      const unsubscribe = scene.connection.driver.subscribe((event) => {
        if (event.type !== 'lifecycle' || event.event !== 'stopped') return
        unsubscribe()
        resolve(scene.connection.domains.create(scene.xml({ name })))
      })
    })
    await scene.until(scene.world.ready(domain))
    await scene.world.kill?.(domain)
    const successor = await scene.until(again)
    expect(successor.uuid).not.toBe(domain.uuid)
    expect(await successor.isActive()).toBe(true)
  })

  needing('kill', 'a guest that dies while it is paused is noticed', async (scene) => {
    const domain = await scene.paused()
    await scene.world.kill?.(domain)
    expect(await scene.state(domain, 'shutoff')).toEqual({ state: 'shutoff', reason: 'crashed' })
  })

  needing('kill', 'the death of one guest does not concern another', async (scene) => {
    const [domain, other] = await Promise.all([scene.running(), scene.running()])
    await scene.world.kill?.(domain)
    await scene.state(domain, 'shutoff')
    expect(await other.state()).toEqual({ state: 'running', reason: 'booted' })
  })

  needing('panic', 'a guest that panics is ended, where <on_crash> does not say otherwise', async (scene) => {
    const domain = await scene.running()
    await scene.world.panic?.(domain)
    await scene.seen('stopped/crashed', domain)
    expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'crashed' })
  })

  needing('panic', 'a guest that panics is kept where <on_crash> says preserve', async (scene) => {
    const domain = await scene.running({ elements: '<on_crash>preserve</on_crash>' })
    const id = await domain.id()
    await scene.world.panic?.(domain)
    await scene.seen('crashed/panicked', domain)
    expect(await domain.state()).toEqual({ state: 'crashed', reason: 'panicked' })
    expect(await domain.id()).toBe(id)
  })

  needing(
    'panic',
    'a guest that is kept after its panic is still listed, and can be destroyed',
    async (scene) => {
      const domain = await scene.running({ elements: '<on_crash>preserve</on_crash>' })
      await scene.world.panic?.(domain)
      await scene.state(domain, 'crashed')
      expect(await scene.connection.domains.list({ active: true, states: ['crashed'] })).toHaveLength(1)
      await domain.destroy()
      expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'destroyed' })
    },
  )

  needing('panic', 'a guest that panics starts again where <on_crash> says restart', async (scene) => {
    const domain = await scene.running({ elements: '<on_crash>restart</on_crash>' })
    scene.events.clear()
    await scene.world.panic?.(domain)
    await scene.seen('started/booted', domain)
    expect(scene.events.names()).toEqual(['stopped/crashed', 'started/booted'])
    expect(await domain.state()).toMatchObject({ state: 'running' })
  })
}
