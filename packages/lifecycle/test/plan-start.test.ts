import { lifecycleDefaults, type PlanDomain, planStart, type StartPlan } from '@covirt/lifecycle'
import { describe, expect, test } from '@jest/globals'
import { planDomain, uuidOf } from './make-domains.js'
import { onCircles, random, randomDomains } from './random-graphs.js'

const plan = (
  domains: readonly PlanDomain[],
  changes: { pullIn?: boolean; limit?: number } = {},
): StartPlan =>
  planStart(domains, { defaults: { ...lifecycleDefaults, ...changes }, limit: changes.limit ?? 100 })

const names = ({ steps }: StartPlan) => steps.map(({ name }) => name)
const messages = ({ problems }: StartPlan) => problems.map(({ message }) => message)

describe('who is started', () => {
  test('domains that are marked, and no others', () => {
    const made = plan([planDomain('a'), planDomain('b', '', { autostart: false })])
    expect(names(made)).toEqual(['a'])
    expect(made.leftOut).toEqual([
      { uuid: uuidOf('b'), name: 'b', reason: 'it is not marked to be started at boot' },
    ])
  })

  test.each([
    ['it is to be started once', "<start once='yes'/>", {}],
    ['it was up when the host went down', "<start restore='yes'/>", { wasActive: true }],
  ])('a domain of which %s', (reason, lifecycle, changes) => {
    const made = plan([planDomain('a', lifecycle, { autostart: false, ...changes })])
    expect(made.steps[0]?.reasons[0]).toContain(reason)
  })

  test('a domain to be restored that was off stays off', () => {
    expect(
      names(plan([planDomain('a', "<start restore='yes'/>", { autostart: false, wasActive: false })])),
    ).toEqual([])
  })

  test('what a wanted domain needs is pulled in and told', () => {
    const made = plan([
      planDomain('web', "<start><after domain='db'/></start>"),
      planDomain('db', '', { autostart: false }),
    ])
    expect(names(made)).toEqual(['db', 'web'])
    expect(messages(made)).toEqual([
      "'web' is to start after 'db', which is not marked to be started; it is started too",
    ])
  })

  test('where nothing is pulled in, a domain that cannot do without is left out', () => {
    const made = plan(
      [planDomain('web', "<start><after domain='db'/></start>"), planDomain('db', '', { autostart: false })],
      { pullIn: false },
    )
    expect(names(made)).toEqual([])
    expect(messages(made)).toContain("'web' is not started, because it is to start after 'db', which is not")
  })

  test('where nothing is pulled in, a domain that can do without starts', () => {
    const made = plan(
      [
        planDomain('web', "<start><after domain='db' on-failure='start'/></start>"),
        planDomain('db', '', { autostart: false }),
      ],
      { pullIn: false },
    )
    expect(names(made)).toEqual(['web'])
    expect(made.steps[0]?.reasons).toContain("it does not wait for 'db', which is not started")
  })

  test('a domain that the boot has started before is held, and told why', () => {
    const made = plan([planDomain('a', '', { held: 'this boot has started it before' })])
    expect(made.leftOut).toEqual([
      { uuid: uuidOf('a'), name: 'a', reason: 'this boot has started it before' },
    ])
  })

  test('a domain that runs is waited for, not started, and needs nothing itself', () => {
    const made = plan([
      planDomain('web', "<start><after domain='db'/></start>"),
      planDomain('db', "<start><after domain='nothing'/></start>", { active: true }),
    ])
    expect(made.steps.map(({ name, active }) => [name, active])).toEqual([
      ['db', true],
      ['web', false],
    ])
    expect(made.problems).toEqual([])
  })

  test('a name that nobody has is told, and the domain not started', () => {
    const made = plan([planDomain('web', "<start><after domain='db'/></start>")])
    expect(names(made)).toEqual([])
    expect(made.problems).toEqual([
      {
        kind: 'unknown-domain',
        domains: ['web', 'db'],
        message: "'web' is to start after 'db', which does not exist",
      },
    ])
  })

  test('what is wrong in the metadata is told, and the domain started by the defaults', () => {
    const made = plan([planDomain('web', '', { problem: 'it is nonsense' })])
    expect(names(made)).toEqual(['web'])
    expect(messages(made)).toEqual(['it is nonsense; the defaults hold for it'])
  })
})

describe('circles', () => {
  test('are named by their path, and their members not started', () => {
    const made = plan([
      planDomain('a', "<start><after domain='b'/></start>"),
      planDomain('b', "<start><after domain='c'/></start>"),
      planDomain('c', "<start><after domain='a'/></start>"),
      planDomain('d'),
    ])
    expect(names(made)).toEqual(['d'])
    expect(made.problems[0]).toEqual({
      kind: 'cycle',
      domains: ['a', 'b', 'c', 'a'],
      message: 'These wait for each other: a → b → c → a',
    })
    expect(made.leftOut[0]?.reason).toBe('it waits for itself: a → b → c → a')
  })

  test('a domain that waits for itself is one', () => {
    const made = plan([planDomain('a', "<start><after domain='a'/></start>")])
    expect(made.problems[0]?.domains).toEqual(['a', 'a'])
  })

  test('through a dependency that may fail are broken there', () => {
    const made = plan([
      planDomain('a', "<start><after domain='b' on-failure='start'/></start>"),
      planDomain('b', "<start><after domain='a'/></start>"),
    ])
    expect(names(made)).toEqual(['a', 'b'])
    expect(messages(made)).toEqual([
      'These wait for each other: a → b → a',
      "'a' does not wait for 'b', which waits for it in turn",
    ])
  })
})

describe('order', () => {
  test('lower orders start first, then dependencies decide, then names', () => {
    const made = plan([
      planDomain('z', "<start order='1'/>"),
      planDomain('b'),
      planDomain('a', "<start><after domain='b'/></start>"),
      planDomain('c'),
    ])
    expect(names(made)).toEqual(['z', 'b', 'c', 'a'])
  })

  test('a domain is not ordered after those that need it, and that is told', () => {
    const made = plan([
      planDomain('web', "<start order='1'><after domain='db'/></start>"),
      planDomain('db', "<start order='2'/>"),
    ])
    expect(made.steps.map(({ name, order }) => [name, order])).toEqual([
      ['db', 1],
      ['web', 1],
    ])
    expect(messages(made)).toEqual(["'db' has order 1 instead of 2, because 'web' is to start after it"])
  })
})

describe('times', () => {
  test('the earliest adds up delays, the worst everything that may be used', () => {
    const made = plan([
      planDomain(
        'db',
        "<start delay='2s' timeout='10s' attempts='2' backoff='1s'><ready timeout='30s'><agent/></ready></start>",
      ),
      planDomain('web', "<start timeout='5s'><after domain='db'/></start>"),
    ])
    expect(made.steps.map(({ earliestMs, worstMs }) => [earliestMs, worstMs])).toEqual([
      [2000, 53_000],
      [2000, 58_000],
    ])
    expect([made.earliestMs, made.worstMs]).toEqual([2000, 58_000])
  })

  test('where places are few, waiting for one counts', () => {
    const made = plan(
      [planDomain('a', "<start timeout='10s'/>"), planDomain('b', "<start timeout='10s'/>")],
      { limit: 1 },
    )
    expect(made.worstMs).toBe(30_000)
  })
})

/** What is wrong with a plan, in the words of whoever looks at the domains alone. */
function faultsOf(domains: readonly PlanDomain[], made: StartPlan): readonly string[] {
  const faults: string[] = []
  const place = new Map(made.steps.map(({ uuid }, index) => [uuid, index]))
  const all = new Map(domains.map((domain) => [domain.ref.uuid, domain]))
  const uuids = new Map(
    domains.flatMap(({ ref }) => [[ref.name, ref.uuid] as const, [ref.uuid, ref.uuid] as const]),
  )
  const both = made.leftOut.filter(({ uuid }) => place.has(uuid))
  if (both.length > 0 || made.steps.length + made.leftOut.length !== domains.length)
    faults.push('domains are lost')
  for (const [index, step] of made.steps.entries()) {
    const before = made.steps[index - 1]
    if (before && before.order > step.order) faults.push(`${step.name} is out of order`)
    for (const { uuid, name } of step.waits) {
      if ((place.get(uuid) ?? index) >= index) faults.push(`${step.name} is before ${name}`)
    }
    const { active, policy } = all.get(step.uuid) as PlanDomain
    for (const { name, uuid, onFailure } of active ? [] : policy.start.after) {
      const needed = uuids.get(uuid ?? name ?? '')
      const waited = step.waits.some((wait) => wait.uuid === needed)
      if (onFailure === 'skip' && !waited) faults.push(`${step.name} does not wait for ${name ?? uuid}`)
    }
  }
  return [...faults, ...circleFaults(domains, made)]
}

const notCandidates = /^it is not marked|does not exist$|no definition/

function circleFaults(domains: readonly PlanDomain[], made: StartPlan): readonly string[] {
  const told = made.problems.filter(({ kind }) => kind === 'cycle').flatMap((each) => each.domains)
  const out = new Set(made.leftOut.filter(({ reason }) => notCandidates.test(reason)).map(({ uuid }) => uuid))
  const candidates = domains.filter(({ ref }) => !out.has(ref.uuid))
  const circles = onCircles(candidates, () => true)
  const hard = onCircles(candidates, ({ onFailure }) => onFailure === 'skip')
  return [
    ...[...circles].filter((name) => !told.includes(name)).map((name) => `${name}'s circle is not told`),
    ...told.filter((name) => !circles.has(name)).map((name) => `${name} is on no circle`),
    ...names(made)
      .filter((name) => hard.has(name))
      .map((name) => `${name} is on a circle and started`),
  ]
}

const graphs = Number(process.env.COVIRT_LIFECYCLE_GRAPHS ?? 3000)

test(`over ${graphs} random graphs no order is violated and each circle is found`, () => {
  for (let seed = 1; seed <= graphs; seed++) {
    const domains = randomDomains(seed)
    const faults = faultsOf(domains, plan(domains, { pullIn: seed % 3 !== 0 }))
    if (faults.length > 0) throw new Error(`seed ${seed}: ${faults.join('; ')}`)
  }
})

test('the same domains in another order give the same plan', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const domains = randomDomains(seed)
    const next = random(seed)
    const mixed = domains.map((domain) => [next(), domain] as const).sort(([a], [b]) => a - b)
    expect(plan(mixed.map(([, domain]) => domain))).toEqual(plan(domains))
  }
})

test('ten thousand domains are planned within a second of a processor’s time', () => {
  const domains = Array.from({ length: 10_000 }, (_, index) =>
    planDomain(`d${String(index).padStart(5, '0')}`, '', {}),
  ).map((domain, index, list) => ({
    ...domain,
    policy: {
      ...domain.policy,
      start: {
        ...domain.policy.start,
        after: [1, 2]
          .filter((back) => index % 100 >= back)
          .map((back) => ({
            uuid: list[index - back]?.ref.uuid,
            until: 'ready' as const,
            onFailure: 'skip' as const,
          })),
      },
    },
  }))
  const begun = process.cpuUsage()
  const made = plan(domains)
  const { user, system } = process.cpuUsage(begun)
  expect(made.steps).toHaveLength(10_000)
  expect(user + system).toBeLessThan(1_000_000)
})
