import { setTimeout as delay } from 'node:timers/promises'
import { after, type FaultCase } from './fault-case.js'
import { changed } from './fault-scene.js'

const unready = "<ready interval='50ms' timeout='600ms'><tcp host='127.0.0.1' port='1'/></ready>"

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
