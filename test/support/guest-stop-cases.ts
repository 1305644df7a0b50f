import { setTimeout as delay } from 'node:timers/promises'
import type { Driver } from '@covirt/core'
import { after, type FaultCase, hang } from './fault-case.js'
import { changed } from './fault-scene.js'

/** Guests, and those who use them, while they go down. */
export const guestStopCases: readonly FaultCase[] = [
  {
    title: 'nothing goes wrong',
    expected: { a: 'clean' },
    run: async (scene) => {
      await scene.running('a')
      return scene.down()
    },
  },
  {
    title: 'three in a row',
    expected: { a: 'clean', b: 'clean', c: 'clean' },
    run: async (scene) => {
      await scene.running('a')
      await scene.running('b', after('a'))
      await scene.running('c', after('b'))
      return scene.down()
    },
  },
  {
    title: 'asked in the first moment of its boot',
    expected: { a: 'clean' },
    run: async (scene) => {
      await scene.define('a')
      await scene.domain('a').start()
      return scene.down()
    },
  },
  {
    title: 'misses the first request',
    needs: ['inattentive'],
    expected: { a: 'clean' },
    run: async (scene) => {
      await scene.running('a', '', { guest: 'inattentive' })
      return scene.down()
    },
  },
  {
    title: 'ignores every request (ACPI or signal)',
    needs: ['deaf'],
    expected: { a: 'forced' },
    forcedAfterMs: { a: 4000 },
    run: async (scene) => {
      await scene.running('a', '', { guest: 'deaf' })
      return scene.down()
    },
  },
  {
    title: 'paused (or frozen)',
    expected: { a: 'clean' },
    run: async (scene) => {
      await (await scene.running('a')).suspend()
      return scene.down()
    },
  },
  {
    title: 'paused, and ignores every request',
    needs: ['deaf'],
    expected: { a: 'forced' },
    forcedAfterMs: { a: 4000 },
    run: async (scene) => {
      await (await scene.running('a', '', { guest: 'deaf' })).suspend()
      return scene.down()
    },
  },
  {
    title: 'is paused by a user while it is asked',
    needs: ['deaf'],
    expected: { a: 'forced' },
    forcedAfterMs: { a: 4000 },
    run: async (scene) => {
      const domain = await scene.running('a', '', { guest: 'deaf' })
      void delay(300).then(() => domain.suspend().catch(() => {}))
      return scene.down()
    },
  },
  {
    title: 'killed from outside while it is asked',
    needs: ['deaf', 'kill'],
    expected: { a: 'forced' },
    forcedAfterMs: { a: 0 },
    run: async (scene) => {
      const domain = await scene.running('a', '', { guest: 'deaf' })
      void delay(300).then(() => scene.world.kill?.(domain))
      return scene.down()
    },
  },
  {
    title: 'a user ends it meanwhile',
    needs: ['deaf'],
    expected: { a: 'forced' },
    forcedAfterMs: { a: 0 },
    run: async (scene) => {
      const domain = await scene.running('a', '', { guest: 'deaf' })
      void delay(300).then(() => domain.destroy().catch(() => {}))
      return scene.down()
    },
  },
  {
    title: 'a user has asked it already',
    needs: ['deaf'],
    expected: { a: 'forced' },
    forcedAfterMs: { a: 4000 },
    run: async (scene) => {
      const domain = await scene.running('a', '', { guest: 'deaf' })
      await domain.shutdown()
      return scene.down()
    },
  },
  {
    title: 'switches itself off before its turn',
    needs: ['powerOff', 'deaf'],
    expected: { a: 'gone', b: 'forced' },
    forcedAfterMs: { b: 4000 },
    run: async (scene) => {
      const domain = await scene.running('a')
      await scene.running('b', after('a'), { guest: 'deaf' })
      void delay(300).then(() => scene.world.powerOff?.(domain))
      return scene.down()
    },
  },
  {
    title: 'has panicked and is kept for inspection',
    needs: ['panic'],
    expected: { a: 'forced' },
    forcedAfterMs: { a: 0 },
    run: async (scene) => {
      const domain = await scene.running('a', '', { elements: '<on_crash>preserve</on_crash>' })
      const crashed = domain.waitFor('crashed')
      await scene.world.panic?.(domain)
      await crashed
      return scene.down()
    },
  },
  {
    title: 'somebody has its console open',
    role: 'console',
    expected: { a: 'clean' },
    run: async (scene) => {
      const domain = await scene.running('a')
      const stream = await domain.openConsole()
      stream.on('error', () => {})
      stream.resume()
      return scene.down()
    },
  },
  {
    title: 'to be asked by an agent that it does not have',
    expected: { a: 'clean' },
    run: async (scene) => {
      await scene.running('a', "<stop><try by='agent' budget='5s'/><try by='request' budget='4s'/></stop>")
      return scene.down()
    },
  },
  {
    title: 'its agent hangs',
    expected: { a: 'clean' },
    run: async (scene) => {
      await scene.running('a', "<stop><try by='agent' budget='1s'/><try by='request' budget='4s'/></stop>")
      const { driver } = scene
      const shutdownDomain: Driver['shutdownDomain'] = (domain, options) =>
        options?.mode === 'agent' ? hang(options.signal) : driver.shutdownDomain(domain, options)
      return scene.down({ driver: changed(driver, { shutdownDomain }) })
    },
  },
  {
    title: 'to be asked by means that its driver does not have',
    expected: { a: 'clean' },
    run: async (scene) => {
      await scene.running(
        'a',
        "<stop><try by='acpi' budget='1s'/><try by='signal' budget='1s'/><try by='request' budget='4s'/></stop>",
      )
      return scene.down()
    },
  },
  {
    title: 'a user’s job holds it up for ever',
    expected: { a: 'forced' },
    forcedAfterMs: { a: 1000 },
    run: async (scene) => {
      await scene.running('a', "<stop><try by='request' budget='1s'/></stop>")
      const shutdownDomain: Driver['shutdownDomain'] = (_domain, options) => hang(options?.signal)
      return scene.down({ driver: changed(scene.driver, { shutdownDomain }) })
    },
  },
  {
    title: 'every request fails (its socket is gone)',
    expected: { a: 'forced' },
    forcedAfterMs: { a: 1000 },
    run: async (scene) => {
      await scene.running('a', "<stop><try by='request' budget='1s'/></stop>")
      const shutdownDomain = () => Promise.reject(new Error('connection reset by peer'))
      return scene.down({ driver: changed(scene.driver, { shutdownDomain }) })
    },
  },
  {
    title: 'ending it fails at first',
    expected: { a: 'forced' },
    forcedAfterMs: { a: 0 },
    run: async (scene) => {
      await scene.running('a', "<stop action='destroy'/>")
      const { driver } = scene
      let failures = 2
      const destroyDomain: Driver['destroyDomain'] = async (...args) => {
        if (failures-- > 0) throw new Error('device or resource busy')
        return driver.destroyDomain(...args)
      }
      return scene.down({ driver: changed(driver, { destroyDomain }) })
    },
  },
]
