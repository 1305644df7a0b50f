import { type Driver, parseConnectUri, silentLogger, systemClock } from '@covirt/core'
import { type TestDriver, testProvider } from '@covirt/driver-test'
import type { JournalEntry } from '@covirt/lifecycle'
import type { ServiceCallOptions } from '@covirt/server'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { type TempRoot, tempRoot } from '../../../test/fixtures/index.js'
import { configSchema } from '../src/config/config-schema.js'
import type { DaemonContext } from '../src/daemon-hook.js'
import { LifecycleHook } from '../src/lifecycle/lifecycle-hook.js'
import { stubLogind } from './stub-logind.js'

let root: TempRoot
let driver: Driver
let context: DaemonContext
let drained: string | undefined
let onDrain = () => {}
let warned: string[] = []

const openGuests = () => testProvider.open(parseConnectUri(`test:///empty?root=${root.path}`), {})

beforeEach(async () => {
  onDrain = () => {}
  warned = []
  root = await tempRoot()
  driver = await openGuests()
  const xml = "<domain type='test'><name>web</name><memory>1024</memory><os><type>hvm</type></os></domain>"
  await driver.setAutostart(await driver.defineDomain(xml), true)
  const parts = {
    config: configSchema.parse({ lifecycle: { stop: false } }),
    instance: { path: '/system', root: root.path },
    open: openGuests,
    server: {
      drain: (reason: string | undefined) => {
        drained = reason
        onDrain()
      },
    },
    serviceManager: { isThere: false, status: () => {}, extendTimeout: () => {} },
    logger: { ...silentLogger, warn: (message: string) => void warned.push(message) },
    clock: systemClock,
  }
  context = parts as unknown as DaemonContext
})

afterEach(async () => {
  await driver.close()
  await root[Symbol.asyncDispose]()
})

/** What a daemon with this hook does for a client, from its start to its end. */
async function during<T>(
  work: (
    call: (method: 'up' | 'down' | 'journal', request: object, on?: Driver) => Promise<unknown>,
  ) => Promise<T>,
  hook = new LifecycleHook(),
): Promise<T> {
  await hook.started(context, new AbortController().signal)
  try {
    return await work((method, request, on = driver) => {
      const options = { identity: { name: 'a client', transport: 'unix' }, driver: on, onProgress: () => {} }
      return Promise.resolve(hook.service[method]?.call([request], options as ServiceCallOptions))
    })
  } finally {
    await hook.stopping(context)
  }
}

type Call = Parameters<Parameters<typeof during>[0]>[0]

const turn = () => new Promise((resolve) => setImmediate(resolve))

function nextDrain(): Promise<void> {
  return new Promise((resolve) => {
    onDrain = resolve
  })
}

function nextStart(): Promise<void> {
  return new Promise((resolve) => {
    driver.subscribe((event) => event.type === 'lifecycle' && event.event === 'started' && resolve())
  })
}

/** Until the plan that takes all guests down has asked one, which takes its time. */
async function isAsked(call: Call): Promise<void> {
  for (;;) {
    const entries = (await call('journal', {})) as readonly JournalEntry[]
    if (entries.some(({ event }) => event === 'stopping')) return
    await turn()
  }
}

const isWarned = async () => {
  while (warned.length === 0) await turn()
}

const active = async () => (await driver.listDomains({ active: true })).map(({ name }) => name)

test('two who ask for what was taken down are served by one plan', async () => {
  const reports = await during(async (call) => {
    expect(await active()).toEqual(['web'])
    await call('down', { host: true })
    return Promise.all([call('up', { takenDown: true }), call('up', { takenDown: true })])
  })
  // Whichever is first to have read the journal.
  expect(reports.filter((report) => report !== undefined)).toMatchObject([
    { results: [{ outcome: 'ready' }] },
  ])
  expect(await active()).toEqual(['web'])
})

test('what was taken down stays down where the daemon alone is restarted', async () => {
  await during((call) => call('down', { host: true }))
  await during(async () => expect(await active()).toEqual([]))
})

test('who is connected to some of the guests alone cannot have the plan of the boot', async () => {
  const some = await testProvider.open(parseConnectUri(`test:///empty?root=${root.path}-other`), {})
  try {
    await during(async (call) => {
      await expect(call('up', { boot: true }, some)).rejects.toMatchObject({
        code: 'INVALID_ARG',
        hint: expect.stringContaining('covirt:///system'),
      })
    })
  } finally {
    await some.close()
  }
})

test('a shutdown that logind announces takes guests down at once, and lets it go on then', async () => {
  using logind = stubLogind(root)
  context = { ...context, config: configSchema.parse({}) }
  await during(async (call) => {
    await logind.next()
    expect(await active()).toEqual(['web'])
    logind.say(true)
    expect(await logind.next()).toMatchObject({ held: false })
    expect(await active()).toEqual([])
    expect(drained).toBe('the host is going down')
    // As the unit of the guests asks for it when it is stopped.
    expect(await call('down', { host: true })).toMatchObject({ results: [] })
    expect(drained).toBe('the host is going down')
  }, new LifecycleHook(logind.programs))
})

test('whoever asks for it meanwhile has part in the plan that takes the guests down with the host', async () => {
  using logind = stubLogind(root)
  context = { ...context, config: configSchema.parse({}) }
  const { controls } = driver as TestDriver
  controls.behave('web', { ignoreShutdowns: Number.POSITIVE_INFINITY })
  await during(async (call) => {
    await logind.next()
    const beginning = nextDrain()
    logind.say(true)
    await beginning
    const down = call('down', { host: true })
    controls.powerOff('web')
    expect(await down).toMatchObject({ results: [{ name: 'web' }] })
    const entries = (await call('journal', {})) as readonly JournalEntry[]
    expect(entries.filter(({ event, plan }) => event === 'plan-began' && plan === 'stop')).toHaveLength(1)
  }, new LifecycleHook(logind.programs))
})

test('where the shutdown is called off, what has gone down for it comes up again', async () => {
  using logind = stubLogind(root)
  context = { ...context, config: configSchema.parse({}) }
  await during(async () => {
    await logind.next()
    logind.say(true)
    await logind.next()
    const up = nextStart()
    logind.say(false)
    expect(await logind.next()).toMatchObject({ held: true })
    await up
    expect(drained).toBeUndefined()
  }, new LifecycleHook(logind.programs))
  expect(await active()).toEqual(['web'])
})

test('a guest that was asked when the shutdown is called off comes up again, and the next shutdown waits as well', async () => {
  using logind = stubLogind(root)
  context = { ...context, config: configSchema.parse({}) }
  const { controls } = driver as TestDriver
  controls.behave('web', { ignoreShutdowns: 1 })
  await during(async (call) => {
    await logind.next()
    logind.say(true)
    await isAsked(call)
    logind.say(false)
    await isWarned()
    expect(drained).toBe('the host is going down')
    const up = nextStart()
    controls.powerOff('web')
    await up
    expect(drained).toBeUndefined()
    logind.say(true)
    expect(await logind.next()).toMatchObject({ held: false })
    expect(await active()).toEqual([])
  }, new LifecycleHook(logind.programs))
})

test('where the shutdown is called off and goes on again, guests go down once, and only then it is let go on', async () => {
  using logind = stubLogind(root)
  context = { ...context, config: configSchema.parse({}) }
  const { controls } = driver as TestDriver
  controls.behave('web', { ignoreShutdowns: Number.POSITIVE_INFINITY })
  await during(async (call) => {
    await logind.next()
    logind.say(true)
    await isAsked(call)
    const again = nextDrain()
    logind.say(false, true)
    await again
    controls.powerOff('web')
    expect(await logind.next()).toMatchObject({ held: false })
    expect(await active()).toEqual([])
    expect(drained).toBe('the host is going down')
    const entries = (await call('journal', {})) as readonly JournalEntry[]
    expect(entries.filter(({ event }) => event === 'plan-began')).toMatchObject([
      { plan: 'start' },
      { plan: 'stop' },
    ])
  }, new LifecycleHook(logind.programs))
})

test('where nothing is to be started, a shutdown that is called off leaves up who still is', async () => {
  using logind = stubLogind(root)
  for (const web of await driver.listDomains()) await driver.startDomain(web)
  context = { ...context, config: configSchema.parse({ lifecycle: { start: false } }) }
  ;(driver as TestDriver).controls.behave('web', { ignoreShutdowns: 1 })
  await during(async (call) => {
    await logind.next()
    logind.say(true)
    await isAsked(call)
    logind.say(false)
    await isWarned()
    expect(warned[0]).toContain('stay down')
    expect(drained).toBeUndefined()
    expect(await active()).toEqual(['web'])
  }, new LifecycleHook(logind.programs))
})

test('after the end of the daemon alone nobody is told that the host goes down', async () => {
  const hook = new LifecycleHook()
  await during(async () => {}, hook)
  const options = { identity: { name: 'a client', transport: 'unix' }, driver, onProgress: () => {} }
  const up = Promise.resolve(hook.service.up?.call([{}], options as unknown as ServiceCallOptions))
  await expect(up).rejects.toMatchObject({ message: expect.stringContaining('covirtd goes down') })
})
