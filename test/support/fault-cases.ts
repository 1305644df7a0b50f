import { setTimeout as delay } from 'node:timers/promises'
import type { Ability } from '@covirt/contract'
import type { Driver } from '@covirt/core'
import type { StartReport, StopReport } from '@covirt/lifecycle'
import { changed, type FaultScene } from './fault-scene.js'

/** One thing that can go wrong, and what is to come of it. */
export interface FaultCase {
  readonly title: string
  /** What the world must be able to do. */
  readonly needs?: readonly Ability[]
  /** The role that the driver must have. */
  readonly role?: 'console' | 'savedState'
  /** By the labels of the domains; several words where more than one is right. */
  readonly expected: Readonly<Record<string, string>>
  readonly deadlineMs?: number
  /** Domains that are to be up afterwards. */
  readonly left?: readonly string[]
  run(scene: FaultScene): Promise<StartReport | StopReport>
}

const after = (...labels: readonly string[]) =>
  `<start>${labels.map((label) => `<after domain='@${label}'/>`).join('')}</start>`
const unready = "<ready interval='50ms' timeout='600ms'><tcp host='127.0.0.1' port='1'/></ready>"

/** Going down. */
export const stopCases: readonly FaultCase[] = [
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
    run: async (scene) => {
      await (await scene.running('a', '', { guest: 'deaf' })).suspend()
      return scene.down()
    },
  },
  {
    title: 'is paused by a user while it is asked',
    needs: ['deaf'],
    expected: { a: 'forced' },
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
    run: async (scene) => {
      await scene.running('a', "<stop><try by='request' budget='1s'/></stop>")
      const shutdownDomain: Driver['shutdownDomain'] = (_domain, options) => hang(options?.signal)
      return scene.down({ driver: changed(scene.driver, { shutdownDomain }) })
    },
  },
  {
    title: 'every request fails (its socket is gone)',
    expected: { a: 'forced' },
    run: async (scene) => {
      await scene.running('a', "<stop><try by='request' budget='1s'/></stop>")
      const shutdownDomain = () => Promise.reject(new Error('connection reset by peer'))
      return scene.down({ driver: changed(scene.driver, { shutdownDomain }) })
    },
  },
  {
    title: 'ending it fails at first',
    expected: { a: 'forced' },
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
  {
    title: 'events are lost',
    expected: { a: 'clean' },
    run: async (scene) => {
      await scene.running('a', "<stop><try by='request' budget='9s'/></stop>")
      return scene.down({ driver: changed(scene.driver, { subscribe: () => () => {} }) })
    },
  },
  {
    title: 'it is to be ended at once',
    expected: { a: 'forced' },
    run: async (scene) => {
      await scene.running('a', "<stop action='destroy'/>")
      return scene.down()
    },
  },
  {
    title: 'it is to be left',
    expected: { a: 'left' },
    left: ['a'],
    run: async (scene) => {
      await scene.running('a', "<stop action='leave'/>")
      return scene.down()
    },
  },
  {
    title: 'it is to be saved',
    role: 'savedState',
    expected: { a: 'saved' },
    run: async (scene) => {
      await scene.running('a', "<stop action='save'/>")
      return scene.down()
    },
  },
  {
    title: 'it is to be saved, and cannot be',
    expected: { a: 'clean' },
    run: async (scene) => {
      await scene.running('a', "<stop action='save'/>")
      return scene.down({ driver: changed(scene.driver, { savedState: undefined }) })
    },
  },
  {
    title: 'the disk is full when it is to be saved',
    role: 'savedState',
    expected: { a: 'clean' },
    run: async (scene) => {
      await scene.running('a', "<stop action='save'/>")
      const { savedState } = scene.driver
      const managedSave = () => Promise.reject(new Error('no space left on device'))
      return scene.down({
        driver: changed(scene.driver, { savedState: savedState && { ...savedState, managedSave } }),
      })
    },
  },
  {
    title: 'the budgets are longer than the deadline (or systemd’s time-out)',
    needs: ['deaf'],
    deadlineMs: 2500,
    expected: { a: 'forced', b: 'forced' },
    run: async (scene) => {
      await scene.running('a', "<stop><try by='request' budget='1min'/></stop>", { guest: 'deaf' })
      await scene.running('b', `${after('a')}<stop><try by='request' budget='1min'/></stop>`, {
        guest: 'deaf',
      })
      return scene.down({}, 2500)
    },
  },
  {
    title: 'a slow one takes what a fast one has left over',
    needs: ['inattentive'],
    deadlineMs: 5000,
    expected: { a: 'clean', b: 'clean' },
    run: async (scene) => {
      await scene.running('a', "<stop><try by='request' budget='4s'/></stop>", { guest: 'inattentive' })
      await scene.running('b', `${after('a')}<stop><try by='request' budget='4s'/></stop>`)
      return scene.down({}, 5000)
    },
  },
  {
    title: 'transient',
    expected: { a: 'clean' },
    run: async (scene) => {
      await scene.transient('a')
      return scene.down()
    },
  },
  {
    title: 'undefined while it runs',
    expected: { a: 'clean' },
    run: async (scene) => {
      await (await scene.running('a')).undefine()
      return scene.down()
    },
  },
  {
    title: 'started while the host goes down',
    needs: ['inattentive'],
    expected: { a: 'clean', b: 'forced' },
    run: async (scene) => {
      await scene.running('a', '', { guest: 'inattentive' })
      await scene.define('b')
      void delay(300).then(() => scene.domain('b').start())
      return scene.down()
    },
  },
  {
    title: 'they need each other in a circle',
    expected: { a: 'clean', b: 'clean' },
    run: async (scene) => {
      await scene.running('a', after('b'))
      await scene.running('b', after('a'))
      return scene.down()
    },
  },
  {
    title: 'a hook objects to the host’s going down',
    expected: { a: 'clean' },
    run: async (scene) => {
      await scene.running('a')
      return scene.down({ hooks: { onBeforeStop: () => ({ veto: 'never' }) } })
    },
  },
  {
    title: 'a hook hangs',
    expected: { a: 'clean' },
    run: async (scene) => {
      await scene.running('a')
      return scene.down({ hooks: { timeoutMs: 300, onBeforeStop: () => new Promise(() => {}) } })
    },
  },
  {
    title: 'the disk is full for the journal',
    expected: { a: 'clean' },
    run: async (scene) => {
      await scene.running('a')
      const append = () => Promise.reject(new Error('no space left on device'))
      return scene.down({ journal: { append, read: async () => [], close: async () => {} } })
    },
  },
  {
    title: 'the runner is killed halfway, and another one goes on',
    needs: ['deaf'],
    expected: { a: 'clean', b: 'forced' },
    run: async (scene) => {
      await scene.running('a')
      await scene.running('b', after('a'), { guest: 'deaf' })
      await scene.down({ signal: AbortSignal.timeout(300) }).catch(() => {})
      return scene.down()
    },
  },
]

/** Coming up. */
export const startCases: readonly FaultCase[] = [
  {
    title: 'nothing goes wrong',
    expected: { a: 'ready', b: 'ready', c: 'ready' },
    left: ['a', 'b', 'c'],
    run: async (scene) => {
      await scene.define('a')
      await scene.define('b', after('a'))
      await scene.define('c', after('a', 'b'))
      return scene.up()
    },
  },
  {
    title: 'one cannot be started',
    needs: ['broken'],
    expected: { a: 'failed', b: 'skipped', c: 'ready', d: 'ready' },
    left: ['c', 'd'],
    run: async (scene) => {
      await scene.define('a', '', { guest: 'broken' })
      await scene.define('b', after('a'))
      await scene.define('c', "<start><after domain='@a' on-failure='start'/></start>")
      await scene.define('d')
      return scene.up()
    },
  },
  {
    title: 'a start takes too long',
    needs: ['slow'],
    expected: { a: 'failed', b: 'ready' },
    left: ['b'],
    run: async (scene) => {
      await scene.define('a', "<start timeout='1s'/>", { guest: 'slow' })
      await scene.define('b')
      return scene.up()
    },
  },
  ...(['mount', 'network', 'pool'] as const).map(
    (kind): FaultCase => ({
      title: `a ${kind} is missing`,
      expected: { a: 'failed', b: 'ready' },
      left: ['b'],
      run: async (scene) => {
        await scene.define('a', `<start><requires ${kind}='x' timeout='600ms'/></start>`)
        await scene.define('b')
        const there = async () => true
        const conditions = { mount: there, network: there, pool: there, [kind]: async () => false }
        return scene.up({ conditions })
      },
    }),
  ),
  {
    title: 'a probe never succeeds',
    expected: { a: 'not-ready', b: 'skipped' },
    left: ['a'],
    run: async (scene) => {
      await scene.define('a', `<start>${unready}</start>`)
      await scene.define('b', after('a'))
      return scene.up()
    },
  },
  {
    title: 'a probe that its driver has no role for',
    expected: { a: 'not-ready' },
    left: ['a'],
    run: async (scene) => {
      await scene.define('a', "<start><ready timeout='20s'><exec><arg>true</arg></exec></ready></start>")
      return scene.up({ driver: changed(scene.driver, { exec: undefined }) })
    },
  },
  {
    title: 'they wait for each other in a circle',
    expected: { c: 'ready' },
    left: ['c'],
    run: async (scene) => {
      await scene.define('a', after('b'))
      await scene.define('b', after('a'))
      await scene.define('c')
      return scene.up()
    },
  },
  {
    title: 'one waits for a domain that does not exist',
    expected: { b: 'ready' },
    left: ['b'],
    run: async (scene) => {
      await scene.define('a', after('ghost'))
      await scene.define('b')
      return scene.up()
    },
  },
  {
    title: 'killed while it proves to be ready',
    needs: ['kill'],
    expected: { a: 'failed' },
    run: async (scene) => {
      await scene.define('a', `<start>${unready.replace('600ms', '20s')}</start>`)
      const hooks = { onStarted: () => void delay(200).then(() => scene.world.kill?.(scene.domain('a'))) }
      return scene.up({ hooks })
    },
  },
  {
    title: 'runs already',
    expected: { a: 'ready' },
    left: ['a'],
    run: async (scene) => {
      await scene.running('a')
      return scene.up()
    },
  },
  {
    title: 'a user starts it at the same time',
    expected: { a: 'ready' },
    left: ['a'],
    run: async (scene) => {
      await scene.define('a')
      return scene.up({ hooks: { onBeforeStart: async () => void (await scene.domain('a').start()) } })
    },
  },
  {
    title: 'the runner is killed halfway, and another one goes on',
    expected: { a: 'ready', b: 'ready' },
    left: ['a', 'b'],
    run: async (scene) => {
      await scene.define('a', "<start delay='1s'/>")
      await scene.define('b', after('a'))
      await scene.up({ signal: AbortSignal.timeout(700) }).catch(() => {})
      return scene.up()
    },
  },
  {
    title: 'a hook objects',
    expected: { a: 'skipped' },
    run: async (scene) => {
      await scene.define('a')
      return scene.up({ hooks: { onBeforeStart: () => ({ veto: 'not today' }) } })
    },
  },
  {
    title: 'the disk is full for the journal',
    expected: { a: 'ready' },
    left: ['a'],
    run: async (scene) => {
      await scene.define('a')
      const append = () => Promise.reject(new Error('no space left on device'))
      return scene.up({ journal: { append, read: async () => [], close: async () => {} } })
    },
  },
]

function hang(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
