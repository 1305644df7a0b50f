import { lifecycleDefaults, type PlanDomain, planStop, type StopPlan } from '@covirt/lifecycle'
import { describe, expect, test } from '@jest/globals'
import { planDomain } from './make-domains.js'
import { randomDomains } from './random-graphs.js'

const up = (name: string, lifecycle = '', changes: Partial<PlanDomain> = {}) =>
  planDomain(name, lifecycle, { active: true, ...changes })
const plan = (domains: readonly PlanDomain[], deadlineMs = 300_000): StopPlan =>
  planStop(domains, { defaults: { ...lifecycleDefaults, deadlineMs } })
const names = ({ steps }: StopPlan) => steps.map(({ name }) => name)

describe('who goes down', () => {
  test('every domain that is up, whether or not it is marked to be started', () => {
    expect(names(plan([up('a', '', { autostart: false }), planDomain('b')]))).toEqual(['a'])
  })

  test('but for those that are to be left', () => {
    const made = plan([up('a', "<stop action='leave'/>")])
    expect(made.leftOut.map(({ name, reason }) => [name, reason])).toEqual([['a', 'it is to be left alone']])
  })
})

describe('order', () => {
  test('a domain goes down before those that it started after', () => {
    const made = plan([
      up('db'),
      up('web', "<start><after domain='db'/></start>"),
      up('proxy', "<start><after domain='web'/></start>"),
    ])
    expect(names(made)).toEqual(['proxy', 'web', 'db'])
  })

  test('higher priorities go first, then higher orders', () => {
    const made = plan([
      up('a', "<stop priority='1'/>"),
      up('b', "<start order='5'/>"),
      up('c', "<start order='9'/>"),
    ])
    expect(names(made)).toEqual(['a', 'c', 'b'])
  })

  test('whoever needs a domain of high priority goes down before it all the same', () => {
    const made = plan([up('db', "<stop priority='9'/>"), up('web', "<start><after domain='db'/></start>")])
    expect(names(made)).toEqual(['web', 'db'])
  })

  test('circles are told and their members asked at the same time', () => {
    const made = plan([
      up('a', "<start><after domain='b'/></start>"),
      up('b', "<start><after domain='a'/></start>"),
    ])
    expect(made.steps.map(({ name, waits }) => [name, waits.length])).toEqual([
      ['a', 0],
      ['b', 0],
    ])
    expect(made.problems[0]?.message).toBe('These need each other and go down at the same time: a, b')
  })
})

describe('budgets', () => {
  test('what is tried is the ladder of the definition, which always ends with destroy', () => {
    const made = plan([up('a', "<stop><try by='agent' budget='10s'/><try by='acpi' budget='20s'/></stop>")])
    expect(made.steps[0]?.policy.ladder.map(({ by }) => by)).toEqual(['agent', 'acpi', 'destroy'])
    expect(made.steps[0]?.worstMs).toBe(35_000)
  })

  test.each([
    ["<stop action='destroy'/>", ['destroy']],
    ["<stop action='save'/>", ['save', 'request', 'destroy']],
    ['', ['request', 'destroy']],
  ])('%s is done by %j', (lifecycle, ladder) => {
    expect(plan([up('a', lifecycle)]).steps[0]?.policy.ladder.map(({ by }) => by)).toEqual(ladder)
  })

  test('where they add up to more than the deadline, that is told', () => {
    const made = plan([up('db'), up('web', "<start><after domain='db'/></start>")], 60_000)
    expect(made.problems[0]?.message).toBe(
      'The budgets add up to 190 s and are cut to the 60 s that there are',
    )
  })

  test('each step knows how long those after it may take', () => {
    const made = plan([up('db'), up('web', "<start><after domain='db'/></start>")])
    expect(made.steps.map(({ name, afterMs }) => [name, afterMs])).toEqual([
      ['web', 95_000],
      ['db', 0],
    ])
  })
})

const graphs = Number(process.env.COVIRT_LIFECYCLE_GRAPHS ?? 3000)

test(`over ${graphs} random graphs everything that is up goes down, in the reverse of what it needs`, () => {
  for (let seed = 1; seed <= graphs; seed++) {
    const domains = randomDomains(seed, true)
    const made = plan(domains)
    const place = new Map(made.steps.map(({ uuid }, index) => [uuid, index]))
    const wrong = made.steps.filter(
      ({ waits, rank, worstMs, afterMs }, index) =>
        waits.some(({ uuid }) => (place.get(uuid) ?? index) >= index) ||
        rank > (made.steps[index - 1]?.rank ?? rank) ||
        worstMs + afterMs > made.worstMs,
    )
    if (wrong.length > 0 || place.size !== domains.length) throw new Error(`seed ${seed}`)
  }
})
