import { silentLogger } from '@covirt/core'
import {
  EventRecorder,
  type Journal,
  type JournalEntry,
  MemoryJournal,
  makeStartPlan,
  makeStopPlan,
  readBootIdentity,
  runAgain,
  runBoot,
  runStop,
} from '@covirt/lifecycle'
import { describe, expect, test } from '@jest/globals'
import { domainXml, uuidOf } from './make-domains.js'
import { random } from './random-graphs.js'
import { changed, define, drive, runnerParts, testWorld } from './world.js'

type World = Awaited<ReturnType<typeof testWorld>>

const off = async (world: World, name: string) =>
  world.driver.destroyDomain(await world.driver.lookupDomain({ name }))

describe('the plan of a boot', () => {
  test('runs once for each boot', async () => {
    await using world = await testWorld()
    await define(world.driver, { db: '' })
    const parts = runnerParts(world)
    expect((await drive(world.clock, runBoot(parts)))?.results).toHaveLength(1)
    await off(world, 'db')
    expect(await drive(world.clock, runBoot(parts))).toBeUndefined()
    expect((await drive(world.clock, runBoot({ ...parts, boot: 'boot-2' })))?.results).toHaveLength(1)
  })

  test('starts nothing that runs already', async () => {
    await using world = await testWorld()
    await define(world.driver, { db: '' })
    await world.driver.startDomain(await world.driver.lookupDomain({ name: 'db' }))
    const report = await drive(world.clock, runBoot(runnerParts(world)))
    expect(report?.results[0]).toMatchObject({ wasActive: true, outcome: 'ready', attempts: 0 })
  })

  test('interrupted anywhere and gone on with, starts everything once and skips nothing', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    for (let seed = 1; seed <= 40; seed++) {
      await using world = await testWorld()
      const next = random(seed)
      await define(
        world.driver,
        Object.fromEntries(
          names.map((name, index) => [
            name,
            index % 3 === 0 ? '' : `<start><after domain='${names[index - 1]}'/></start>`,
          ]),
        ),
      )
      for (const name of names)
        world.driver.controls.behave(name, { startDelayMs: Math.floor(next() * 1000) })
      const starts: string[] = []
      world.driver.subscribe((event) => {
        if (event.type === 'lifecycle' && event.event === 'started') starts.push(event.domain.name)
      })
      const kept = new MemoryJournal()
      const abort = new AbortController()
      let room = Math.floor(next() * 20)
      const dying: Journal = {
        append: async (entry) => {
          if (room-- > 0) return kept.append(entry)
          abort.abort()
          throw new Error('killed')
        },
        read: () => kept.read(),
        close: async () => {},
      }
      await drive(
        world.clock,
        runBoot(runnerParts(world, { journal: dying, signal: abort.signal })),
        50,
      ).catch(() => {})
      await drive(world.clock, runBoot(runnerParts(world, { journal: kept })), 50)
      expect([seed, starts.sort()]).toEqual([seed, names])
    }
  })

  test('does not start again what it has started and a user has stopped, after an interruption', async () => {
    await using world = await testWorld()
    await define(world.driver, { db: '', web: "<start><after domain='db'/></start>" })
    const parts = runnerParts(world)
    world.driver.controls.behave('web', { startDelayMs: 60_000 })
    const abort = new AbortController()
    void world.clock.sleep(5000).then(() => abort.abort())
    await expect(drive(world.clock, runBoot({ ...parts, signal: abort.signal }))).rejects.toThrow()
    await off(world, 'db')
    world.driver.controls.behave('web', { startDelayMs: 0 })
    const plan = await makeStartPlan(parts, { atBoot: true })
    expect(plan.leftOut.find(({ name }) => name === 'db')?.reason).toBe('this boot has started it before')
  })

  test('brings up what was up when the host went down, where that is wanted', async () => {
    await using world = await testWorld()
    const { driver } = world
    const journal = new MemoryJournal()
    const recorder = new EventRecorder({
      journal,
      driver,
      clock: world.clock,
      logger: silentLogger,
      boot: 'boot-1',
    })
    const parts = { ...runnerParts(world, { journal: recorder }), actor: 'power-off' as const }
    for (const name of ['up', 'stopped', 'plain']) {
      const lifecycle = name === 'plain' ? '' : "<start restore='yes'/>"
      await driver.startDomain(await driver.defineDomain(domainXml(name, lifecycle)))
    }
    await off(world, 'stopped')
    await drive(world.clock, runStop(await makeStopPlan(parts), parts))
    const plan = await makeStartPlan({ ...parts, boot: 'boot-2' }, { atBoot: true })
    expect(plan.steps.map(({ name, reasons }) => [name, reasons[0]])).toEqual([
      ['up', 'it was up when the host went down'],
    ])
    await recorder.close()
  })

  test('brings it up also where the daemon has noted its end, too, and later', async () => {
    await using world = await testWorld()
    const { uuid } = await world.driver.defineDomain(domainXml('up', "<start restore='yes'/>"))
    const journal = new MemoryJournal()
    const noted = [
      ['started', 'user'],
      ['stopping', 'power-off'],
      ['stopped', 'power-off'],
      ['stopped', 'guest'],
    ] as const
    for (const [event, actor] of noted)
      await journal.append({ at: 0, boot: 'boot-1', uuid, name: 'up', event, actor })
    const plan = await makeStartPlan({ ...runnerParts(world, { journal }), boot: 'boot-2' })
    expect(plan.steps.map(({ name }) => name)).toEqual(['up'])
  })

  test('runs also where the journal cannot be read', async () => {
    await using world = await testWorld()
    await define(world.driver, { db: '' })
    const journal: Journal = {
      append: async () => {},
      read: async () => Promise.reject(new Error('EIO')),
      close: async () => {},
    }
    const report = await drive(world.clock, runBoot(runnerParts(world, { journal })))
    expect(report?.results[0]?.outcome).toBe('ready')
  })
})

describe('what is to be started once', () => {
  test('is started once, whenever the runner is killed, and whether its host goes with it or not', async () => {
    for (const hostDies of [true, false]) {
      for (let room = 3; room < 12; room++) {
        await using world = await testWorld()
        await world.driver.defineDomain(domainXml('db', "<start once='yes'/>"))
        let starts = 0
        world.driver.subscribe((event) => {
          if (event.type === 'lifecycle' && event.event === 'started') starts += 1
        })
        const kept = new MemoryJournal()
        let left = room
        /** What a process that is killed asks for never comes to be. */
        const dies = () => new Promise<never>(() => {})
        const journal: Journal = {
          ...kept,
          append: (entry) => (left-- > 0 ? kept.append(entry) : dies()),
          read: () => kept.read(),
          close: async () => {},
        }
        const driver = changed(world.driver, {
          defineDomain: (xml, options) => (left-- > 0 ? world.driver.defineDomain(xml, options) : dies()),
        })
        void runBoot(runnerParts(world, { journal, driver }))
        await world.clock.advance(10_000)
        if (hostDies) await off(world, 'db')
        await drive(
          world.clock,
          runBoot(runnerParts(world, { journal: kept, boot: hostDies ? 'boot-2' : 'boot-1' })),
        )
        await off(world, 'db').catch(() => {})
        await drive(world.clock, runBoot(runnerParts(world, { journal: kept, boot: 'boot-3' })))
        expect({ hostDies, room, starts }).toEqual({ hostDies, room, starts: 1 })
      }
    }
  })

  test('is started again where its definition says so again', async () => {
    await using world = await testWorld()
    await world.driver.defineDomain(domainXml('db', "<start once='yes'/>"))
    const parts = runnerParts(world)
    await drive(world.clock, runBoot(parts))
    await off(world, 'db')
    await world.driver.defineDomain(domainXml('db', "<start once='yes'/>"))
    const report = await drive(world.clock, runBoot({ ...parts, boot: 'boot-2' }))
    expect(report?.results.map(({ outcome }) => outcome)).toEqual(['ready'])
  })
})

describe('after all guests were taken down in the same boot', () => {
  const takeDown = async (world: World, parts: ReturnType<typeof runnerParts>) => {
    const down = { ...parts, actor: 'power-off' as const, host: true }
    await drive(world.clock, runStop(await makeStopPlan(down), down))
  }
  const upNow = async ({ driver }: World) =>
    (await driver.listDomains({ active: true })).map(({ name }) => name).sort()

  /** A boot that has brought up `db` and `web`; then a user has started `extra` and stopped `off`. */
  async function afterBoot(world: World) {
    await define(world.driver, { db: '', web: "<start><after domain='db'/></start>", off: '' })
    const extra = await world.driver.defineDomain(domainXml('extra', "<start><after domain='off'/></start>"))
    const parts = runnerParts(world)
    await drive(world.clock, runBoot(parts))
    await off(world, 'off')
    await world.driver.startDomain(extra)
    return parts
  }

  test('comes up what was up, and nothing else', async () => {
    await using world = await testWorld()
    const parts = await afterBoot(world)
    await takeDown(world, parts)
    expect(await upNow(world)).toEqual([])
    const report = await drive(world.clock, runAgain(parts))
    expect(report?.results.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['db', 'ready'],
      ['extra', 'ready'],
      ['web', 'ready'],
    ])
    expect(await upNow(world)).toEqual(['db', 'extra', 'web'])
    const why = parts.journal.entries.findLast(({ event }) => event === 'starting')?.why
    expect(why).toBe('it was up when all guests were taken down')
  })

  test('a daemon that is restarted starts nothing', async () => {
    await using world = await testWorld()
    const parts = await afterBoot(world)
    await takeDown(world, parts)
    expect(await drive(world.clock, runBoot(parts))).toBeUndefined()
    expect(await upNow(world)).toEqual([])
  })

  test('nothing comes up a second time, nor without it', async () => {
    await using world = await testWorld()
    const parts = await afterBoot(world)
    expect(await drive(world.clock, runAgain(parts))).toBeUndefined()
    await takeDown(world, parts)
    await drive(world.clock, runAgain(parts))
    await off(world, 'db')
    expect(await drive(world.clock, runAgain(parts))).toBeUndefined()
    expect(await drive(world.clock, runBoot(parts))).toBeUndefined()
    expect(await upNow(world)).toEqual(['extra', 'web'])
  })

  test('what is interrupted is gone on with; what a user has stopped meanwhile stays off', async () => {
    await using world = await testWorld()
    const parts = await afterBoot(world)
    await takeDown(world, parts)
    world.driver.controls.behave('web', { startDelayMs: 60_000 })
    const abort = new AbortController()
    void world.clock.sleep(5000).then(() => abort.abort())
    await expect(drive(world.clock, runAgain({ ...parts, signal: abort.signal }))).rejects.toThrow()
    await off(world, 'extra')
    world.driver.controls.behave('web', { startDelayMs: 0 })
    await drive(world.clock, runAgain(parts))
    expect(await upNow(world)).toEqual(['db', 'web'])
  })

  test('a boot whose plan was cut short by it goes on with all that it was to start', async () => {
    await using world = await testWorld()
    await define(world.driver, { db: '', web: "<start><after domain='db'/></start>" })
    world.driver.controls.behave('web', { startDelayMs: 60_000 })
    const parts = runnerParts(world)
    const abort = new AbortController()
    void world.clock.sleep(5000).then(() => abort.abort())
    await expect(drive(world.clock, runBoot({ ...parts, signal: abort.signal }))).rejects.toThrow()
    await takeDown(world, parts)
    expect(await drive(world.clock, runBoot(parts))).toBeUndefined()
    await drive(world.clock, runAgain(parts))
    expect(await upNow(world)).toEqual(['db', 'web'])
  })

  test('the next boot has its own plan', async () => {
    await using world = await testWorld()
    const parts = await afterBoot(world)
    await takeDown(world, parts)
    await drive(world.clock, runBoot({ ...parts, boot: 'boot-2' }))
    expect(await upNow(world)).toEqual(['db', 'off', 'web'])
  })
})

describe('what happens without a runner', () => {
  test('is noted with who did it', async () => {
    await using world = await testWorld()
    const { driver } = world
    const journal = new MemoryJournal()
    const recorder = new EventRecorder({
      journal,
      driver,
      clock: world.clock,
      logger: silentLogger,
      boot: 'boot-1',
    })
    const db = await driver.defineDomain(domainXml('db'))
    await driver.startDomain(db)
    driver.controls.reboot('db')
    driver.controls.crash('db')
    await world.clock.advance(0)
    await driver.startDomain(db)
    await driver.destroyDomain(db)
    await recorder.close()
    const brief = ({ event, actor, how }: JournalEntry) => [event, actor, how]
    expect(journal.entries.map(brief)).toEqual([
      ['started', 'user', undefined],
      ['rebooted', 'guest', undefined],
      ['stopped', 'guest', 'forced'],
      ['started', 'user', undefined],
      ['stopped', 'user', 'forced'],
    ])
  })

  test('is not noted twice where a runner notes it', async () => {
    await using world = await testWorld()
    const { driver } = world
    await define(driver, { db: '' })
    const journal = new MemoryJournal()
    const recorder = new EventRecorder({
      journal,
      driver,
      clock: world.clock,
      logger: silentLogger,
      boot: 'boot-1',
    })
    await drive(world.clock, runBoot(runnerParts(world, { journal: recorder })))
    await recorder.close()
    expect(journal.entries.filter(({ uuid }) => uuid === uuidOf('db')).map(({ event }) => event)).toEqual([
      'starting',
      'started',
      'ready',
    ])
  })
})

test('this boot has an identity that stays', async () => {
  const identity = await readBootIdentity()
  expect(identity).toMatch(/^[0-9a-f-]{36}\/[0-9]+$/)
  expect(await readBootIdentity()).toBe(identity)
})
