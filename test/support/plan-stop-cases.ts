import { setTimeout as delay } from 'node:timers/promises'
import { after, type FaultCase } from './fault-case.js'
import { changed } from './fault-scene.js'

/** What the plan asks for, and what is around it, while guests go down. */
export const planStopCases: readonly FaultCase[] = [
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
    forcedAfterMs: { a: 0 },
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
    forcedAfterMs: { a: 500, b: 1000 },
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
    forcedAfterMs: { b: 0 },
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
    forcedAfterMs: { b: 4000 },
    run: async (scene) => {
      await scene.running('a')
      await scene.running('b', after('a'), { guest: 'deaf' })
      await scene.down({ signal: AbortSignal.timeout(300) }).catch(() => {})
      return scene.down()
    },
  },
]
