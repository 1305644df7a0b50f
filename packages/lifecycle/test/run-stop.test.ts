import type { Driver, SavedStateRole } from '@covirt/core'
import {
  lifecycleDefaults,
  type Progress,
  planStop,
  readPlanDomains,
  runStop,
  type StopParts,
  type StopReport,
} from '@covirt/lifecycle'
import { describe, expect, test } from '@jest/globals'
import { domainXml } from './make-domains.js'
import { changed, drive, runnerParts, testWorld } from './world.js'

type World = Awaited<ReturnType<typeof testWorld>>

async function start(world: World, domains: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, lifecycle] of Object.entries(domains)) {
    await world.driver.startDomain(await world.driver.defineDomain(domainXml(name, lifecycle)))
  }
}

async function down(
  world: World,
  parts: Partial<StopParts> & { readonly deadlineMs?: number } = {},
): Promise<StopReport> {
  const defaults = { ...lifecycleDefaults, deadlineMs: parts.deadlineMs ?? 300_000 }
  const plan = planStop(await readPlanDomains(world.driver, { defaults }), { defaults })
  return drive(world.clock, runStop(plan, { ...runnerParts(world, parts), host: parts.host }), 100)
}

const brief = ({ results }: StopReport) =>
  Object.fromEntries(
    results.map(({ name, outcome, reason }) => [name, reason ? `${outcome}: ${reason}` : outcome]),
  )

async function nothingIsUp({ driver }: World): Promise<void> {
  expect(await driver.listDomains({ active: true })).toEqual([])
}

describe('in order', () => {
  test('a domain is asked once all that need it are off', async () => {
    await using world = await testWorld()
    await start(world, { db: '', web: "<start><after domain='db'/></start>" })
    world.driver.controls.behave('web', { shutdownDelayMs: 4000 })
    const { results } = await down(world)
    expect(results.map(({ name, outcome, beganMs }) => [name, outcome, beganMs])).toEqual([
      ['web', 'clean', 0],
      ['db', 'clean', 4000],
    ])
  })

  test('all that do not need each other go down at the same time', async () => {
    await using world = await testWorld()
    await start(world, { a: '', b: '', c: '' })
    for (const name of ['a', 'b', 'c']) world.driver.controls.behave(name, { shutdownDelayMs: 5000 })
    expect((await down(world)).tookMs).toBe(5000)
  })
})

describe('a guest', () => {
  test('that loses the first requests is asked again', async () => {
    await using world = await testWorld()
    await start(world, { db: '' })
    world.driver.controls.behave('db', { ignoreShutdowns: 2 })
    const asked: Progress[] = []
    const report = await down(world, { onProgress: (each) => void asked.push(each) })
    expect(brief(report)).toEqual({ db: 'clean' })
    expect(report.tookMs).toBeLessThanOrEqual(4000)
    expect(asked.filter(({ phase }) => phase === 'asked').length).toBeGreaterThanOrEqual(2)
  })

  test('that never acts is ended by force, with the reason', async () => {
    await using world = await testWorld()
    await start(world, { db: "<stop><try by='request' budget='20s'/></stop>" })
    world.driver.controls.behave('db', { ignoreShutdowns: Number.POSITIVE_INFINITY })
    const report = await down(world)
    expect(brief(report)).toEqual({ db: 'forced: asked by request for 20 s: the guest did not act on it' })
    expect(report.tookMs).toBe(20_000)
    await nothingIsUp(world)
  })

  test('that needs nearly all of its budget is not ended by force', async () => {
    await using world = await testWorld()
    await start(world, { db: "<stop><try by='request' budget='20s'/></stop>" })
    world.driver.controls.behave('db', { shutdownDelayMs: 19_900 })
    expect(brief(await down(world))).toEqual({ db: 'clean' })
  })

  test('without an agent is asked the next way at once', async () => {
    await using world = await testWorld()
    await start(world, { db: "<stop><try by='agent' budget='20s'/><try by='acpi' budget='20s'/></stop>" })
    const report = await down(world)
    expect(report.results[0]?.outcome).toBe('clean')
    expect(report.results[0]?.reason).toMatch(/^its agent cannot be used: /)
    expect(report.tookMs).toBe(0)
  })

  test('that cannot be asked in one way is asked in the next', async () => {
    await using world = await testWorld()
    await start(world, { db: "<stop><try by='signal'/><try by='request'/></stop>" })
    expect(brief(await down(world)).db).toMatch(/^clean: a signal cannot be used: /)
  })

  test('that is paused is woken and asked', async () => {
    await using world = await testWorld()
    await start(world, { db: '' })
    await world.driver.suspendDomain(await world.driver.lookupDomain({ name: 'db' }))
    expect(brief(await down(world))).toEqual({ db: 'clean' })
  })

  test('that hangs is ended by force', async () => {
    await using world = await testWorld()
    await start(world, { db: "<stop><try by='request' budget='5s'/></stop>" })
    world.driver.controls.hang('db')
    expect(brief(await down(world)).db).toMatch(/^forced: /)
    await nothingIsUp(world)
  })

  test('that has panicked and is kept for inspection is ended at once', async () => {
    await using world = await testWorld()
    const xml = domainXml('db', '', '<on_crash>preserve</on_crash>')
    await world.driver.startDomain(await world.driver.defineDomain(xml))
    world.driver.controls.panic('db')
    await world.clock.advance(0)
    const report = await down(world)
    expect(brief(report)).toEqual({ db: 'forced: it has crashed and cannot be asked' })
    expect(report.tookMs).toBe(0)
  })

  test('that crashes while it goes down is off, and it is told how', async () => {
    await using world = await testWorld()
    await start(world, { db: '' })
    world.driver.controls.behave('db', { shutdownDelayMs: 60_000 })
    void world.clock.sleep(3000).then(() => world.driver.controls.crash('db'))
    expect(brief(await down(world))).toEqual({ db: 'forced: it crashed while it went down' })
  })

  test('that has gone off since the plan was made is told as gone', async () => {
    await using world = await testWorld()
    await start(world, { db: '', web: "<start><after domain='db'/></start>" })
    world.driver.controls.behave('web', { shutdownDelayMs: 5000 })
    void world.clock.sleep(1000).then(() => world.driver.controls.powerOff('db'))
    expect(brief(await down(world))).toEqual({ web: 'clean', db: 'gone: it had gone off already' })
  })

  test('that a user ends meanwhile is off, and it is told by whom', async () => {
    await using world = await testWorld()
    await start(world, { db: '' })
    world.driver.controls.behave('db', { shutdownDelayMs: 60_000 })
    const db = await world.driver.lookupDomain({ name: 'db' })
    void world.clock.sleep(2000).then(() => world.driver.destroyDomain(db))
    expect(brief(await down(world))).toEqual({ db: 'forced: somebody else ended it meanwhile' })
  })

  test('that a user’s job holds up is ended within its time', async () => {
    await using world = await testWorld()
    await start(world, { db: "<stop><try by='request' budget='10s'/></stop>" })
    const db = await world.driver.lookupDomain({ name: 'db' })
    const { driver } = world
    const shutdownDomain: typeof driver.shutdownDomain = (_domain, { signal } = {}) =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('cancelled'))))
    const busy = changed(driver, { shutdownDomain })
    const report = await down(world, { driver: busy })
    expect(brief(report)).toEqual({
      db: 'forced: asked by request for 10 s: the request did not get through',
    })
    await expect(driver.getDomainState(db)).resolves.toMatchObject({ state: 'shutoff' })
  })

  test('that somebody has the console of goes down all the same', async () => {
    await using world = await testWorld()
    await start(world, { db: '' })
    const stream = await world.driver.console.openConsole(await world.driver.lookupDomain({ name: 'db' }))
    expect(brief(await down(world))).toEqual({ db: 'clean' })
    stream.destroy()
  })

  test('that is transient goes down and disappears', async () => {
    await using world = await testWorld()
    await world.driver.createDomain(domainXml('brief'))
    expect(brief(await down(world))).toEqual({ brief: 'clean' })
    expect(await world.driver.listDomains()).toEqual([])
  })
})

describe('what is to be done', () => {
  test.each([
    ["<stop action='destroy'/>", 'forced: as it was to be'],
    ["<stop action='leave'/>", 'left: it is to be left alone'],
  ])('%s ends as %s', async (lifecycle, outcome) => {
    await using world = await testWorld()
    await start(world, { db: lifecycle })
    expect(brief(await down(world))).toEqual({ db: outcome })
  })

  test('a domain is saved where it is to be, and wakes up where it was', async () => {
    await using world = await testWorld()
    await start(world, { db: "<stop action='save'/>" })
    expect(brief(await down(world))).toEqual({ db: 'saved: as it was to be' })
    const db = await world.driver.lookupDomain({ name: 'db' })
    await expect(world.driver.savedState.hasManagedSave(db)).resolves.toBe(true)
    await world.driver.startDomain(db)
    await expect(world.driver.getDomainState(db)).resolves.toMatchObject({ reason: 'restored' })
  })

  test('where its driver cannot save it is asked, and it is told why', async () => {
    await using world = await testWorld()
    await start(world, { db: "<stop action='save'/>" })
    expect(brief(await down(world, { driver: changed(world.driver, { savedState: undefined }) }))).toEqual({
      db: 'clean: it cannot be saved: its driver keeps no state of guests',
    })
  })

  test('a save that fails or takes too long gives way to the next', async () => {
    await using world = await testWorld()
    await start(world, {
      a: "<stop action='save'/>",
      b: "<stop><try by='save' budget='3s'/><try by='request'/></stop>",
    })
    const managedSave: SavedStateRole['managedSave'] = async ({ name }, { signal } = {}) => {
      if (name === 'a') throw new Error('no space left on device')
      await world.clock.sleep(1e9, { signal })
    }
    const savedState = { ...world.driver.savedState, managedSave }
    expect(brief(await down(world, { driver: changed(world.driver, { savedState }) }))).toEqual({
      a: 'clean: saving it failed: no space left on device',
      b: 'clean: saving it took longer than 3 s',
    })
  })
})

describe('the deadline', () => {
  const deaf = (world: World, ...names: readonly string[]) => {
    for (const name of names)
      world.driver.controls.behave(name, { ignoreShutdowns: Number.POSITIVE_INFINITY })
  }

  test('is kept by all together, whatever their budgets', async () => {
    await using world = await testWorld()
    await start(world, {
      db: '',
      web: "<start><after domain='db'/></start>",
      proxy: "<start><after domain='web'/></start>",
    })
    deaf(world, 'db', 'web', 'proxy')
    const report = await down(world, { deadlineMs: 30_000 })
    expect(report.results.map(({ outcome }) => outcome)).toEqual(['forced', 'forced', 'forced'])
    expect(report.tookMs).toBeLessThanOrEqual(32_000)
    await nothingIsUp(world)
  })

  test('what early ones leave over goes to later ones', async () => {
    await using world = await testWorld()
    await start(world, { db: '', web: "<start><after domain='db'/></start>" })
    world.driver.controls.behave('db', { shutdownDelayMs: 80_000 })
    expect(brief(await down(world, { deadlineMs: 100_000 }))).toEqual({ web: 'clean', db: 'clean' })
  })

  test('a destroy that fails at first is tried again', async () => {
    await using world = await testWorld()
    await start(world, { db: "<stop action='destroy'/>" })
    const { driver } = world
    let failures = 2
    const destroyDomain: Driver['destroyDomain'] = async (...args) => {
      if (failures-- > 0) throw new Error('busy')
      return driver.destroyDomain(...args)
    }
    const flaky = changed(driver, { destroyDomain })
    expect((await down(world, { driver: flaky })).results[0]?.outcome).toBe('forced')
    await nothingIsUp(world)
  })

  test('a guest that cannot even be ended is told, and holds up no other for longer than its time', async () => {
    await using world = await testWorld()
    await start(world, { db: '', web: "<start><after domain='db'/></start><stop action='destroy'/>" })
    const { driver } = world
    const web = await driver.lookupDomain({ name: 'web' })
    const destroyDomain = async () => Promise.reject(new Error('the process does not die'))
    const stuck = changed(driver, { destroyDomain })
    expect(brief(await down(world, { driver: stuck }))).toEqual({
      web: 'failed: it could not be ended within 5 s: the process does not die',
      db: 'clean',
    })
    await driver.destroyDomain(web)
  })
})

describe('when the host goes down', () => {
  test('what restarts itself or is started meanwhile is ended too', async () => {
    await using world = await testWorld()
    await start(world, { a: '' })
    const b = await world.driver.defineDomain(domainXml('b'))
    world.driver.controls.behave('a', { shutdownDelayMs: 5000 })
    void world.clock.sleep(1000).then(() => world.driver.startDomain(b))
    expect(brief(await down(world, { host: true }))).toEqual({
      a: 'clean',
      b: 'forced: it was started while the host goes down',
    })
    await nothingIsUp(world)
  })

  test('no hook can keep a guest up', async () => {
    await using world = await testWorld()
    await start(world, { a: '' })
    const hooks = { onBeforeStop: () => ({ veto: 'it is precious' }) }
    expect(brief(await down(world, { hooks }))).toEqual({ a: 'left: a hook objects: it is precious' })
    expect(brief(await down(world, { hooks, host: true }))).toEqual({ a: 'clean' })
  })
})

test('hooks hear how each domain ended', async () => {
  await using world = await testWorld()
  await start(world, { a: '' })
  const heard: string[] = []
  await down(world, { hooks: { onStopped: ({ domain, how }) => void heard.push(`${domain.name} ${how}`) } })
  expect(heard).toEqual(['a clean'])
})
