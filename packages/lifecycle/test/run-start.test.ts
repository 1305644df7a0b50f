import {
  lifecycleDefaults,
  type Progress,
  planStart,
  type RunnerParts,
  readPlanDomains,
  runStart,
  type StartReport,
} from '@covirt/lifecycle'
import { lifecycleOf, parseDomain } from '@covirt/xml'
import { describe, expect, test } from '@jest/globals'
import { changed, define, drive, easyProbes, goodHost, runnerParts, testWorld } from './world.js'

type World = Awaited<ReturnType<typeof testWorld>>

async function up(world: World, parts: RunnerParts, limit = 100): Promise<StartReport> {
  const plan = planStart(await readPlanDomains(world.driver, { defaults: lifecycleDefaults }), {
    defaults: lifecycleDefaults,
    limit,
  })
  return drive(world.clock, runStart(plan, parts))
}

const brief = ({ results }: StartReport) =>
  Object.fromEntries(
    results.map(({ name, outcome, reason }) => [name, reason ? `${outcome}: ${reason}` : outcome]),
  )

describe('order', () => {
  test('a domain begins once the one before is ready, or only started, as it asks', async () => {
    await using world = await testWorld()
    await define(world.driver, {
      db: "<start><ready timeout='60s'><init/></ready></start>",
      eager: "<start><after domain='db' until='started'/></start>",
      patient: "<start><after domain='db' until='ready'/></start>",
    })
    const readyAt = world.clock.now() + 5000
    const probeIo = { ...easyProbes, initListens: async () => world.clock.now() >= readyAt }
    const { results } = await up(world, runnerParts(world, { probeIo }))
    const began = Object.fromEntries(results.map(({ name, beganMs }) => [name, beganMs]))
    expect(began).toEqual({ db: 0, eager: 0, patient: 5000 })
  })

  test('a delay holds up those that come after, and takes no place', async () => {
    await using world = await testWorld()
    await define(world.driver, {
      a: "<start order='1' delay='10s'/>",
      b: "<start order='1'/>",
      c: "<start order='2'/>",
    })
    const { results } = await up(world, runnerParts(world), 1)
    expect(results.map(({ name, beganMs }) => [name, beganMs])).toEqual([
      ['a', 0],
      ['b', 0],
      ['c', 10_000],
    ])
  })

  test('no more than the limit boot at the same time', async () => {
    await using world = await testWorld()
    const names = ['a', 'b', 'c', 'd', 'e']
    await define(world.driver, Object.fromEntries(names.map((name) => [name, ''])))
    for (const name of names) world.driver.controls.behave(name, { startDelayMs: 1000 })
    const { tookMs } = await up(world, runnerParts(world), 2)
    expect(tookMs).toBe(3000)
  })
})

describe('failure', () => {
  test('of one stops no other, and who cannot do without it is skipped with the reason', async () => {
    await using world = await testWorld()
    await define(world.driver, {
      db: '',
      web: "<start><after domain='db'/></start>",
      proxy: "<start><after domain='web'/></start>",
      other: '',
      brave: "<start><after domain='db' on-failure='start'/></start>",
    })
    world.driver.controls.behave('db', { failStarts: 9 })
    expect(brief(await up(world, runnerParts(world)))).toEqual({
      db: "failed: Domain 'db' was told to fail its start",
      web: "skipped: 'db', which it is to start after, has failed: Domain 'db' was told to fail its start",
      proxy: "skipped: 'web', which it is to start after, was skipped",
      other: 'ready',
      brave: 'ready',
    })
  })

  test('is answered by further attempts, later and later', async () => {
    await using world = await testWorld()
    await define(world.driver, { db: "<start attempts='4' backoff='1s'/>" })
    world.driver.controls.behave('db', { failStarts: 3 })
    const { results, tookMs } = await up(world, runnerParts(world))
    expect(results[0]).toMatchObject({ outcome: 'ready', attempts: 4 })
    expect(tookMs).toBe(1000 + 2000 + 4000)
  })

  test('a start that never ends is given up after its time, and leaves no guest', async () => {
    await using world = await testWorld()
    await define(world.driver, { db: "<start timeout='30s'/>" })
    world.driver.controls.behave('db', { startDelayMs: Number.POSITIVE_INFINITY })
    expect(brief(await up(world, runnerParts(world)))).toEqual({ db: 'failed: It took longer than 30 s' })
    expect(await world.driver.listDomains({ active: true })).toEqual([])
  })

  test('a guest that does not become ready goes on running, and its followers know why they do not', async () => {
    await using world = await testWorld()
    await define(world.driver, {
      db: "<start><ready timeout='10s'><tcp port='5432'/></ready></start>",
      web: "<start><after domain='db'/></start>",
    })
    const connect = async () => {
      throw new Error('connection refused')
    }
    const report = brief(await up(world, runnerParts(world, { probeIo: { ...easyProbes, connect } })))
    const why = "the probe 'tcp' has not succeeded within 10 s: connection refused"
    expect(report).toEqual({
      db: `not-ready: ${why}`,
      web: `skipped: 'db', which it is to start after, is not ready: ${why}`,
    })
    expect(await world.driver.listDomains({ active: true })).toHaveLength(1)
  })

  test('a guest that ends while it boots has failed, and is started again where attempts are left', async () => {
    await using world = await testWorld()
    await define(world.driver, {
      db: "<start attempts='2' backoff='1s'><ready timeout='60s'><init/></ready></start>",
    })
    let asked = 0
    const initListens = async () => {
      asked += 1
      if (asked === 3) world.driver.controls.crash('db')
      return asked > 5
    }
    const { results } = await up(world, runnerParts(world, { probeIo: { ...easyProbes, initListens } }))
    expect(results[0]).toMatchObject({ outcome: 'ready', attempts: 2 })
  })

  test('a domain that somebody else has started meanwhile is as good as started', async () => {
    await using world = await testWorld()
    await define(world.driver, { db: '', web: "<start><after domain='db'/></start>" })
    const plan = planStart(await readPlanDomains(world.driver, { defaults: lifecycleDefaults }), {
      defaults: lifecycleDefaults,
      limit: 9,
    })
    await world.driver.startDomain(await world.driver.lookupDomain({ name: 'db' }))
    const report = await drive(world.clock, runStart(plan, runnerParts(world)))
    expect(brief(report)).toEqual({ db: 'ready', web: 'ready' })
  })

  test('a domain that is undefined before its turn has failed, and nobody else', async () => {
    await using world = await testWorld()
    await define(world.driver, { db: '', web: '' })
    const plan = planStart(await readPlanDomains(world.driver, { defaults: lifecycleDefaults }), {
      defaults: lifecycleDefaults,
      limit: 9,
    })
    await world.driver.undefineDomain(await world.driver.lookupDomain({ name: 'db' }))
    const { results } = await drive(world.clock, runStart(plan, runnerParts(world)))
    expect(results.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['db', 'failed'],
      ['web', 'ready'],
    ])
  })

  test('a journal that cannot be written keeps no guest down', async () => {
    await using world = await testWorld()
    await define(world.driver, { db: '' })
    const journal = {
      append: async () => {
        throw new Error('ENOSPC')
      },
      read: async () => [],
      close: async () => {},
    }
    expect(brief(await up(world, runnerParts(world, { journal })))).toEqual({ db: 'ready' })
  })
})

describe('what the host is to have first', () => {
  test('is waited for', async () => {
    await using world = await testWorld()
    await define(world.driver, { db: "<start><requires mount='/srv'/></start>" })
    const thereAt = world.clock.now() + 7000
    const conditions = { ...goodHost, mount: async () => world.clock.now() >= thereAt }
    expect((await up(world, runnerParts(world, { conditions }))).tookMs).toBe(7000)
  })

  test.each(['mount', 'network', 'pool'] as const)(
    'a missing %s is the reason of a failure',
    async (kind) => {
      await using world = await testWorld()
      await define(world.driver, { db: `<start><requires ${kind}='x' timeout='3s'/></start>` })
      const conditions = { ...goodHost, [kind]: async () => false }
      expect(brief(await up(world, runnerParts(world, { conditions })))).toEqual({
        db: `failed: ${kind} 'x' is not there after 3 s`,
      })
    },
  )
})

describe('probes', () => {
  test('that the driver has no role for fail at once and say so', async () => {
    await using world = await testWorld()
    await define(world.driver, { db: "<start><ready timeout='60s'><agent/></ready></start>" })
    const driver = changed(world.driver, { guestAgent: undefined })
    const { results, tookMs } = await up(world, runnerParts(world, { driver }))
    expect(results[0]?.outcome).toBe('not-ready')
    expect(results[0]?.reason).toMatch(/guestAgent|agent/)
    expect(tookMs).toBe(0)
  })

  test('one of several is enough where any may match', async () => {
    await using world = await testWorld()
    await define(world.driver, {
      db: "<start><ready match='any' timeout='60s'><agent/><init/></ready></start>",
    })
    const { results, tookMs } = await up(world, runnerParts(world))
    expect([results[0]?.outcome, tookMs]).toEqual(['ready', 0])
  })

  test('the agent, a program in the guest, the console and an address prove that a guest is ready', async () => {
    await using world = await testWorld()
    const { driver } = world
    const xml = `<domain type='test'><name>db</name><metadata><lifecycle xmlns='urn:covirt:lifecycle:1'><start>
      <ready interval='1s' timeout='60s'><agent/><exec><arg>true</arg></exec><address family='ipv4'/><console pattern='^login:'/></ready>
      </start></lifecycle></metadata><os><type>hvm</type></os><devices>
      <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel></devices></domain>`
    await driver.setAutostart(await driver.defineDomain(xml), true)
    driver.controls.behave('db', { agentDelayMs: 3000 })
    const addresses = async () => (world.clock.now() % 10_000 >= 5000 ? ['10.0.0.5'] : [])
    const run = up(world, runnerParts(world, { probeIo: { ...easyProbes, addresses } }))
    void world.clock.sleep(4000).then(() => driver.controls.print('db', 'welcome\r\nlogin: '))
    const { results, tookMs } = await run
    expect([results[0]?.outcome, tookMs]).toEqual(['ready', 5000])
  })

  test('a pattern that a guest’s text keeps busy for ever is given up, and holds nobody else up', async () => {
    await using world = await testWorld()
    await define(world.driver, {
      evil: "<start><ready timeout='60s'><console pattern='^(a+)+$'/></ready></start>",
      good: "<start><ready timeout='60s'><console pattern='login:'/></ready></start>",
    })
    const run = up(world, runnerParts(world))
    void world.clock.sleep(2000).then(async () => {
      for (let count = 0; count < 5; count++) world.driver.controls.print('evil', `${'a'.repeat(50)}!\n`)
      world.driver.controls.print('good', 'login: ')
    })
    const begun = performance.now()
    expect(brief(await run)).toEqual({
      evil: "not-ready: matching '^(a+)+$' takes too long",
      good: 'ready',
    })
    expect(performance.now() - begun).toBeLessThan(5000)
  })
})

describe('once', () => {
  test('is taken out of the definition as soon as it has been done', async () => {
    await using world = await testWorld()
    await define(world.driver, { db: "<start once='yes' order='3'/>" })
    await up(world, runnerParts(world))
    const db = await world.driver.lookupDomain({ name: 'db' })
    const xml = await world.driver.getDomainXml(db, { inactive: true })
    expect(lifecycleOf(parseDomain(xml))?.start).toMatchObject({ order: 3 })
    expect(xml).not.toContain('once')
  })
})

describe('hooks', () => {
  test('may object to a start, which is told', async () => {
    await using world = await testWorld()
    await define(world.driver, { db: '', web: '' })
    const hooks = {
      onBeforeStart: ({ domain }: { domain: { name: string } }) =>
        domain.name === 'db' ? { veto: 'not on Sundays' } : undefined,
    }
    expect(brief(await up(world, runnerParts(world, { hooks })))).toEqual({
      db: 'skipped: a hook objects: not on Sundays',
      web: 'ready',
    })
  })

  test('that throw or hang hold nothing up for good', async () => {
    await using world = await testWorld()
    await define(world.driver, { db: '' })
    const hooks = {
      timeoutMs: 2000,
      onBeforeStart: () => {
        throw new Error('oops')
      },
      onStarted: () => new Promise<void>(() => {}),
    }
    const report = await up(world, runnerParts(world, { hooks }))
    expect([brief(report), report.tookMs]).toEqual([{ db: 'ready' }, 2000])
  })
})

test('a run that is cancelled starts nothing more and undoes what is under way', async () => {
  await using world = await testWorld()
  await define(world.driver, { a: '', b: "<start><after domain='a'/></start>" })
  world.driver.controls.behave('a', { startDelayMs: 5000 })
  const abort = new AbortController()
  const run = up(world, runnerParts(world, { signal: abort.signal }))
  void world.clock.sleep(2000).then(() => abort.abort())
  await expect(run).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
  expect(await world.driver.listDomains({ active: true })).toEqual([])
})

test('progress tells each domain’s way', async () => {
  await using world = await testWorld()
  await define(world.driver, { db: '<start><ready><init/></ready></start>' })
  const told: Progress[] = []
  await up(world, runnerParts(world, { onProgress: (each) => void told.push(each) }))
  expect(told.map(({ phase }) => phase)).toEqual(['starting', 'started', 'probing', 'ready'])
})

test('the journal tells it too', async () => {
  await using world = await testWorld()
  await define(world.driver, { db: '' })
  const parts = runnerParts(world)
  await up(world, parts)
  expect(parts.journal.entries.map(({ event, name }) => [event, name])).toEqual([
    ['plan-began', undefined],
    ['starting', 'db'],
    ['started', 'db'],
    ['ready', 'db'],
    ['plan-ended', undefined],
  ])
})
