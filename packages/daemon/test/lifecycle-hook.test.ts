import { type Driver, parseConnectUri, silentLogger, systemClock } from '@covirt/core'
import { testProvider } from '@covirt/driver-test'
import type { ServiceCallOptions } from '@covirt/server'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { type TempRoot, tempRoot } from '../../../test/fixtures/index.js'
import { configSchema } from '../src/config/config-schema.js'
import type { DaemonContext } from '../src/daemon-hook.js'
import { LifecycleHook } from '../src/lifecycle/lifecycle-hook.js'

let root: TempRoot
let driver: Driver
let context: DaemonContext

const openGuests = () => testProvider.open(parseConnectUri(`test:///empty?root=${root.path}`), {})

beforeEach(async () => {
  root = await tempRoot()
  driver = await openGuests()
  const xml = "<domain type='test'><name>web</name><memory>1024</memory><os><type>hvm</type></os></domain>"
  await driver.setAutostart(await driver.defineDomain(xml), true)
  const parts = {
    config: configSchema.parse({ lifecycle: { stop: false } }),
    instance: { path: '/system', root: root.path },
    open: openGuests,
    server: { drain: () => {} },
    serviceManager: { status: () => {}, extendTimeout: () => {} },
    logger: silentLogger,
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
  work: (call: (method: 'up' | 'down', request: object, on?: Driver) => Promise<unknown>) => Promise<T>,
): Promise<T> {
  const hook = new LifecycleHook()
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

const active = async () => (await driver.listDomains({ active: true })).map(({ name }) => name)

test('two who ask for what was taken down are served by one plan', async () => {
  const reports = await during(async (call) => {
    expect(await active()).toEqual(['web'])
    await call('down', { host: true })
    return Promise.all([call('up', { takenDown: true }), call('up', { takenDown: true })])
  })
  expect(reports).toMatchObject([{ results: [{ outcome: 'ready' }] }, undefined])
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
