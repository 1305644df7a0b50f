import { writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { StopReport, StopResult } from '@covirt/lifecycle'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { processOf } from '../../packages/driver-qemu/test/processes.js'
import { QemuWorld } from '../../packages/driver-qemu/test/qemu-world.js'
import { LibvirtdWorld } from '../../packages/driver-remote/test/libvirtd-world.js'
import {
  canRunLibvirtd,
  canRunQemu,
  describeWhen,
  firmwareGuest,
  type PrivateLibvirtd,
  privateLibvirtd,
} from '../fixtures/index.js'
import type { FaultCase } from '../support/fault-case.js'
import { budgets, FaultScene } from '../support/fault-scene.js'
import { guestStopCases } from '../support/guest-stop-cases.js'
import { planStopCases } from '../support/plan-stop-cases.js'
import { runLibvirtGuests } from '../support/run-libvirt-guests.js'

const document = new URL('../../docs/libvirt-guests.md', import.meta.url)

/** As much as our guests have to act on what they are asked. */
const timeoutSeconds = budgets.ladder[0].budgetMs / 1000
const patienceMs = 45_000

/** What of the fault matrix befalls guests, and not our own runner, driver or settings of one guest. */
const titles = [
  'nothing goes wrong',
  'three in a row',
  'asked in the first moment of its boot',
  'misses the first request',
  'ignores every request (ACPI or signal)',
  'paused (or frozen)',
  'paused, and ignores every request',
  'is paused by a user while it is asked',
  'killed from outside while it is asked',
  'a user ends it meanwhile',
  'a user has asked it already',
  'switches itself off before its turn',
  'somebody has its console open',
  'transient',
  'undefined while it runs',
]

const more: readonly FaultCase[] = [
  {
    title: 'one is started while another one is waited for',
    expected: { a: 'forced', b: 'forced' },
    run: async (scene) => {
      await scene.running('a', '', { guest: 'deaf' })
      await scene.define('b')
      // By then libvirt-guests has made its list, also on a machine that is busy.
      void delay(3000).then(() =>
        scene
          .domain('b')
          .start()
          .catch(() => {}),
      )
      return scene.down()
    },
  },
  {
    title: 'three that ignore every request',
    expected: { a: 'forced', b: 'forced', c: 'forced' },
    run: async (scene) => {
      for (const label of ['a', 'b', 'c']) await scene.running(label, '', { guest: 'deaf' })
      return scene.down()
    },
  },
  {
    title: 'QEMU itself hangs, and a second guest is well',
    expected: { a: 'forced', b: 'clean' },
    run: async (scene) => {
      const hung = await scene.running('a')
      await scene.running('b')
      const pid = await processOf(hung.uuid)
      process.kill(pid, 'SIGSTOP')
      try {
        return await scene.down()
      } finally {
        if (await isStopped(scene, 'a')) process.kill(pid, 'SIGKILL')
      }
    },
  },
]

const cases: readonly FaultCase[] = [
  ...[...guestStopCases, ...planStopCases].filter(({ title }) => titles.includes(title)),
  ...more,
]

interface Row {
  readonly covirt: string
  readonly serial: string
  readonly parallel: string
}

describeWhen(canRunQemu() ?? canRunLibvirtd(), 'libvirt-guests and covirt', () => {
  const rows = new Map<string, Partial<Row>>()
  let libvirtd: PrivateLibvirtd

  beforeAll(async () => {
    libvirtd = await privateLibvirtd()
  }, 120_000)

  afterAll(async () => {
    await libvirtd[Symbol.asyncDispose]()
  })

  const note = (title: string, column: keyof Row, text: string) =>
    rows.set(title, { ...rows.get(title), [column]: text })

  test.each(cases.map((each) => [each.title, each] as const))(
    'covirt: %s',
    async (title, each) => {
      await using scene = await FaultScene.make(await QemuWorld.make('qemu', { agent: false }))
      const report = (await each.run(scene)) as StopReport
      expect(scene.outcomes(report)).toEqual(each.expected)
      note(title, 'covirt', inWords(scene, report))
    },
    120_000,
  )

  test.each(
    cases.flatMap((each) => [
      ['one after the other', each.title, each, 'serial', 0] as const,
      ['ten at a time', each.title, each, 'parallel', 10] as const,
    ]),
  )(
    'libvirt-guests, %s: %s',
    async (_how, title, each, column, parallel) => {
      const uri = `qemu+unix:///system?socket=${libvirtd.socket}`
      const world = new LibvirtdWorld(libvirtd, await firmwareGuest())
      await using scene = await FaultScene.make(world, (itself) =>
        stopWithLibvirtGuests(itself, uri, parallel),
      )
      note(title, column, inWords(scene, (await each.run(scene)) as StopReport))
    },
    120_000,
  )

  test('the table is written, of all that was examined', () => {
    expect([...rows.values()].filter(({ serial, parallel }) => !serial || !parallel)).toEqual([])
    expect(rows.get('nothing goes wrong')?.serial).toContain('clean')
    writeFileSync(document, asDocument(rows))
  })
})

async function stopWithLibvirtGuests(scene: FaultScene, uri: string, parallel: number): Promise<StopReport> {
  const began = Date.now()
  const ends = new Map<string, { readonly uuid: string; readonly at: number; readonly detail: string }>()
  const before = await scene.driver.listDomains({ active: true })
  const unsubscribe = scene.driver.subscribe((event) => {
    if (event.type !== 'lifecycle' || event.event !== 'stopped') return
    const { uuid, name } = event.domain
    ends.set(name, { uuid, at: Date.now() - began, detail: event.detail })
  })
  const through = await runLibvirtGuests({ uri, parallel, timeoutSeconds, patienceMs })
  const tookMs = Date.now() - began
  const after = await scene.driver.listDomains({ active: true })
  unsubscribe()
  const ended = [...ends].map(([name, { uuid }]) => ({ name, uuid }))
  const all = new Map([...before, ...after, ...ended].map(({ name, uuid }) => [name, uuid]))
  const results = [...all].map(([name, uuid]): StopResult => {
    const end = ends.get(name)
    const common = { uuid, name, beganMs: 0, endedMs: end?.at ?? tookMs }
    if (after.some((domain) => domain.uuid === uuid))
      return { ...common, outcome: 'failed', reason: through ? 'still up' : 'hangs' }
    return { ...common, outcome: end?.detail === 'shutdown' ? 'clean' : 'gone' }
  })
  return { kind: 'stop', results, tookMs }
}

/** What became of each, and how long all of it took. */
function inWords(scene: FaultScene, report: StopReport): string {
  const outcomes = Object.entries(scene.outcomes(report)).sort(([a], [b]) => (a < b ? -1 : 1))
  const hung = report.results.some(({ reason }) => reason === 'hangs')
  const words = outcomes.map(([, outcome]) => (outcome === 'failed' ? '**still up**' : outcome)).join(', ')
  return `${words}; ${hung ? '**hangs**' : `${(report.tookMs / 1000).toFixed(1)} s`}`
}

async function isStopped(scene: FaultScene, label: string): Promise<boolean> {
  return (await scene.activeLabels()).includes(label)
}

function asDocument(rows: ReadonlyMap<string, Partial<Row>>): string {
  const lines = [...rows].map(
    ([title, { covirt, serial, parallel }]) => `| ${[title, covirt, serial, parallel].join(' | ')} |`,
  )
  return `# covirt beside libvirt-guests

Written by \`npm run test:long -- --testPathPatterns libvirt-guests\`: what becomes of the same emulated virtual machines when their host goes
down, with covirt's own plan, and with \`libvirt-guests\` of libvirt 9.0 on guests of a real libvirtd, one after the other
(as it comes) and ten at a time. A guest that is asked has ${timeoutSeconds} s; covirt has ${budgets.deadlineMs / 1000} s for all of them, libvirt-guests
has no such bound. In its own defaults each guest has 300 s.

\`clean\`: off when asked. \`forced\`: ended with the reason in the journal. \`gone\`: off by itself, or ended by somebody else.
**still up**: it is cut off when its host goes, without anybody knowing. **hangs**: given up after ${patienceMs / 1000} s.

| Fault | covirt | libvirt-guests | libvirt-guests, ten at a time |
| --- | --- | --- | --- |
${lines.join('\n')}
`
}
