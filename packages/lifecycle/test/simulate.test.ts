import { type SimulationReport, simulate } from '@covirt/lifecycle'
import { expect, test } from '@jest/globals'
import { domainXml } from './make-domains.js'
import { testWorld } from './world.js'

async function run(...[options]: [Parameters<typeof simulate>[1]]): Promise<SimulationReport> {
  await using world = await testWorld()
  return await simulate(world, options)
}

const ready = '<ready><init/></ready>'
const chain = [
  domainXml('db', `<start>${ready}</start>`),
  domainXml('web', `<start><after domain='db'/>${ready}</start>`),
  domainXml('proxy', `<start><after domain='web'/>${ready}</start>`),
]

test('guests come up each after the one before is ready, and go down in reverse', async () => {
  const { up, down } = await run({ domains: chain })
  const began = new Map(up.results.map(({ name, beganMs }) => [name, beganMs]))
  for (const [later, earlier] of [
    ['web', 'db'],
    ['proxy', 'web'],
  ] as const) {
    const before = up.results.find(({ name }) => name === earlier)
    expect(began.get(later)).toBeGreaterThanOrEqual(before?.endedMs ?? Number.NaN)
  }
  expect(up.results.map(({ outcome }) => outcome)).toEqual(['ready', 'ready', 'ready'])
  expect(down.results.map(({ name, outcome }) => [name, outcome])).toEqual([
    ['proxy', 'clean'],
    ['web', 'clean'],
    ['db', 'clean'],
  ])
})

test('the same seed gives the same run, another seed another', async () => {
  const [one, again, other] = await Promise.all([
    run({ domains: chain, seed: 7 }),
    run({ domains: chain, seed: 7 }),
    run({ domains: chain, seed: 8 }),
  ])
  expect(again.progress).toEqual(one.progress)
  expect(other.up).not.toEqual(one.up)
})

test('what goes wrong by script is reported with its reason', async () => {
  const { up } = await run({ domains: chain, faults: [{ domain: 'web', kind: 'fail-start' }] })
  expect(up.results.map(({ name, outcome, reason }) => [name, outcome, reason])).toEqual([
    ['db', 'ready', undefined],
    ['web', 'failed', "Domain 'web' was told to fail its start"],
    [
      'proxy',
      'skipped',
      "'web', which it is to start after, has failed: Domain 'web' was told to fail its start",
    ],
  ])
})

test('three hundred guests boot and go down within the plan’s time', async () => {
  const domains = Array.from({ length: 300 }, (_, index) => {
    const after =
      index % 50 === 0 ? '' : `<after domain='g${index - 1 - (index % 3 === 0 && index % 50 > 1 ? 1 : 0)}'/>`
    return domainXml(`g${index}`, `<start>${after}${ready}</start>`)
  })
  const { up, down, startPlan } = await run({ domains, limit: 60, defaults: { deadlineMs: 3_600_000 } })
  expect(up.results.filter(({ outcome }) => outcome === 'ready')).toHaveLength(300)
  expect(down.results.filter(({ outcome }) => outcome === 'clean')).toHaveLength(300)
  expect(up.tookMs).toBeLessThanOrEqual(startPlan.worstMs)
})
