import { shutdownModes } from '@covirt/core'
import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** Guests are asked, and take their time. */
export function shuttingDown({ fixture, test, needing, onOneGuest }: Suite): void {
  test('a shutdown asked for at once after the start is not lost', async (scene) => {
    const domain = await scene.define()
    await domain.start()
    await domain.shutdown()
    expect(await scene.state(domain, 'shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
  })

  needing('inattentive', 'a guest that misses the request is asked again', async (scene) => {
    const domain = await scene.running({ guest: 'inattentive' })
    await domain.shutdown()
    expect(await scene.state(domain, 'shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
  })

  test('shutdown may be asked for again while the guest goes down', async (scene) => {
    const domain = await scene.running()
    await Promise.allSettled([domain.shutdown(), domain.shutdown()])
    await scene.state(domain, 'shutoff')
    await scene.seen('stopped/shutdown', domain)
    expect(scene.events.names(domain).filter((name) => name.startsWith('stopped'))).toHaveLength(1)
  })

  test('a domain that was shut down starts again, and the old request does not reach it', async (scene) => {
    const domain = await scene.running()
    await domain.shutdown()
    await scene.state(domain, 'shutoff')
    await domain.start()
    await scene.world.advance?.(90_000)
    expect(await domain.state()).toEqual({ state: 'running', reason: 'booted' })
  })

  for (const mode of shutdownModes) {
    if (fixture.shutdownModes.includes(mode)) continue
    onOneGuest(
      'plain',
      `the mode '${mode}', which this driver does not have, is refused`,
      async (domain, scene) => {
        await scene.refuses('ARGUMENT_UNSUPPORTED', () => domain.shutdown({ mode }))
        await scene.refuses('ARGUMENT_UNSUPPORTED', () => domain.reboot({ mode }))
      },
    )
  }

  for (const mode of fixture.shutdownModes) {
    const title = `a guest goes off when it is asked by '${mode}'`
    needing(mode === 'agent' ? 'agent' : [], title, async (scene) => {
      const domain = await scene.running({ guest: mode === 'agent' ? 'agent' : 'plain' })
      await domain.shutdown({ mode })
      expect(await scene.state(domain, 'shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
    })
  }

  needing('deaf', 'shutdown resolves though the guest does not act, which goes on', async (scene) => {
    const domain = await scene.running({ guest: 'deaf' })
    expect(await scene.eventsOf(() => domain.shutdown())).toEqual([])
    expect(await domain.state()).toEqual({ state: 'running', reason: 'booted' })
  })

  needing('deaf', 'a guest that does not act can be asked for other things, and destroyed', async (scene) => {
    const domain = await scene.running({ guest: 'deaf' })
    await domain.shutdown()
    await domain.suspend()
    await domain.resume()
    await domain.destroy()
    expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'destroyed' })
  })

  needing(['deaf', 'advance'], 'a guest that never acts is left running', async (scene) => {
    const domain = await scene.running({ guest: 'deaf' })
    await domain.shutdown()
    await scene.world.advance?.(300_000)
    expect(await domain.state()).toEqual({ state: 'running', reason: 'booted' })
  })
}
