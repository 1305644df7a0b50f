import type { Driver, SavedStateRole } from '@covirt/core'
import {
  EventRecorder,
  type Journal,
  type JournalEntry,
  LocalLifecycle,
  MemoryJournal,
  type ProbeIo,
  type RunOptions,
} from '@covirt/lifecycle'
import { describe, expect, test } from '@jest/globals'
import { changed, define, drive, easyProbes, goodHost, runnerParts, testWorld } from './world.js'

type World = Awaited<ReturnType<typeof testWorld>>

/**
 * A process that is killed just as it has begun, or just as it has done, its step number `last`: a change, a line of the
 * journal, a look at whether a guest is ready. What it asks for after that never comes to be; guests live on.
 */
class Mortal {
  readonly died: Promise<void>
  #left: number
  #die: () => void = () => {}

  constructor(last: number) {
    this.#left = last
    this.died = new Promise((resolve) => {
      this.#die = resolve
    })
  }

  async does<T>(work: () => Promise<T>): Promise<T> {
    this.#step()
    if (this.#left <= 0) return new Promise<never>(() => {})
    const result = await work()
    this.#step()
    return this.#left <= 0 ? new Promise<never>(() => {}) : result
  }

  #step(): void {
    this.#left -= 1
    if (this.#left === 0) this.#die()
  }
}

const changes = ['startDomain', 'shutdownDomain', 'destroyDomain', 'resumeDomain', 'defineDomain'] as const

function driverOf(life: Mortal, { driver }: World): Driver {
  const calls = changes.map((name) => {
    const call = driver[name].bind(driver) as (...args: readonly unknown[]) => Promise<unknown>
    return [name, (...args: readonly unknown[]) => life.does(() => call(...args))]
  })
  const kept = driver.savedState as SavedStateRole
  const savedState: SavedStateRole = {
    ...kept,
    managedSave: (...args) => life.does(() => kept.managedSave(...args)),
  }
  return changed(driver, { ...Object.fromEntries(calls), savedState })
}

/** What a daemon does, for as long as it lives. `last` is never for one that is not killed. */
async function daemon(
  world: World,
  journal: MemoryJournal,
  last: number,
  work: (lifecycle: LocalLifecycle, options: RunOptions) => Promise<unknown>,
): Promise<'killed' | 'done'> {
  const life = new Mortal(last)
  const driver = driverOf(life, world)
  const mortal: Journal = {
    append: (entry) => life.does(() => journal.append(entry)),
    read: () => journal.read(),
    close: async () => {},
  }
  const probeIo: ProbeIo = {
    ...easyProbes,
    initListens: (domain) => life.does(async () => runsFor(world, domain.name) >= 1500),
  }
  const recorder = new EventRecorder({ ...runnerParts(world), driver, journal: mortal })
  const lifecycle = new LocalLifecycle({
    ...runnerParts(world, { driver, probeIo }),
    journal: recorder,
    conditions: goodHost,
  })
  try {
    const done = work(lifecycle, {}).then(() => 'done' as const)
    return await drive(
      world.clock,
      Promise.race([done, life.died.then(() => 'killed' as const)]),
      last === never ? 1000 : 50,
    )
  } finally {
    await recorder.close()
  }
}

const never = Number.POSITIVE_INFINITY

const startedAt = new WeakMap<World, Map<string, number>>()
const runsFor = (world: World, name: string) =>
  world.clock.now() - (startedAt.get(world)?.get(name) ?? world.clock.now())

/** Counts what happens to guests, whoever brings it about. */
function counted(world: World) {
  const [starts, stops, forced] = [new Map<string, number>(), new Map<string, number>(), new Set<string>()]
  const times = new Map<string, number>()
  startedAt.set(world, times)
  const one = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1)
  world.driver.subscribe((event) => {
    if (event.type !== 'lifecycle') return
    const { name } = event.domain
    if (event.event === 'started') {
      one(starts, name)
      times.set(name, world.clock.now())
    }
    if (event.event === 'stopped') one(stops, name)
    if (event.event === 'stopped' && event.detail === 'destroyed') forced.add(name)
  })
  const of = (counts: Map<string, number>) => Object.fromEntries([...counts].sort())
  return { starts: () => of(starts), stops: () => of(stops), forced: () => [...forced] }
}

const ready = '<ready><init/></ready>'
const guests = {
  db: `<start>${ready}</start>`,
  deaf: "<start delay='1s'/><stop><try by='request' budget='3s'/><try by='destroy' budget='2s'/></stop>",
  kept: `<start><after domain='db' until='started'/></start><stop action='save'/>`,
  mute: "<stop><try by='agent' budget='4s'/><try by='acpi' budget='20s'/></stop>",
  web: `<start><after domain='db'/>${ready}</start>`,
}
const each = (count: number) => Object.fromEntries(Object.keys(guests).map((name) => [name, count]))

async function world(): Promise<World> {
  const made = await testWorld()
  await define(made.driver, guests)
  made.driver.controls.behave('deaf', { ignoreShutdowns: never })
  for (const name of ['db', 'web', 'mute']) made.driver.controls.behave(name, { shutdownDelayMs: 400 })
  return made
}

const up = async ({ driver }: World) => (await driver.listDomains({ active: true })).map(({ name }) => name)

/** Of each domain what the journal says last. */
function lastOf(entries: readonly JournalEntry[]): Record<string, string> {
  return Object.fromEntries(entries.flatMap(({ name, event }) => (name === undefined ? [] : [[name, event]])))
}

describe('a daemon that is killed at any step', () => {
  test('as guests come up: the next one starts each of them once, skips none, and its journal says so', async () => {
    let last = 0
    for (let killed = true; killed; ) {
      last += 1
      await using host = await world()
      const seen = counted(host)
      const journal = new MemoryJournal()
      const boot = (lifecycle: LocalLifecycle, options: RunOptions) => lifecycle.boot(options)
      killed = (await daemon(host, journal, last, boot)) === 'killed'
      await host.clock.advance(700)
      await daemon(host, journal, never, boot)
      const { starts, stops } = seen
      expect({ last, starts: starts(), stops: stops() }).toEqual({ last, starts: each(1), stops: {} })
      expect({ last, ends: lastOf(journal.entries) }).toEqual({
        last,
        ends: Object.fromEntries(Object.keys(guests).map((name) => [name, 'ready'])),
      })
    }
    expect(last).toBeGreaterThan(40)
  })

  test('as they go down with the host: the next one takes down what is left, by no more force, and what went down comes up again', async () => {
    let last = 0
    for (let killed = true; killed; ) {
      last += 1
      await using host = await world()
      const seen = counted(host)
      const journal = new MemoryJournal()
      await daemon(host, journal, never, (lifecycle, options) => lifecycle.boot(options))
      await host.driver.suspendDomain(await host.driver.lookupDomain({ name: 'web' }))
      const down = (lifecycle: LocalLifecycle, options: RunOptions) => lifecycle.down({ host: true }, options)
      killed = (await daemon(host, journal, last, down)) === 'killed'
      await host.clock.advance(700)
      // As one that is started again while the host goes down.
      await daemon(host, journal, never, (lifecycle, options) => lifecycle.boot(options))
      await daemon(host, journal, never, down)
      expect({ last, up: await up(host), forced: seen.forced(), starts: seen.starts() }).toEqual({
        last,
        up: [],
        forced: ['deaf'],
        starts: each(1),
      })
      expect({ last, stops: seen.stops() }).toEqual({ last, stops: each(1) })
      await daemon(host, journal, never, (lifecycle, options) => lifecycle.up({ takenDown: true }, options))
      expect({ last, starts: seen.starts() }).toEqual({ last, starts: each(2) })
    }
    expect(last).toBeGreaterThan(40)
  })
})
