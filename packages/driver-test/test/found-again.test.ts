import { Connection, FakeClock, parseConnectUri } from '@covirt/core'
import { beforeEach, expect, test } from '@jest/globals'
import { type TestDriver, testProvider } from '../src/index.js'
import { testWorld } from '../src/test-world.js'

const name = 'web'
const xml = `<domain type='test'><name>${name}</name></domain>`
let clock: FakeClock
let uri: string
let worlds = 0

beforeEach(() => {
  clock = new FakeClock()
  uri = `test:///empty?root=found-again-${++worlds}`
})

async function open(): Promise<Connection<TestDriver>> {
  return new Connection(await testProvider.open(parseConnectUri(uri), { clock }))
}

async function startedAndLeft(prepare: (connection: Connection<TestDriver>) => unknown = () => {}) {
  const connection = await open()
  const domain = await connection.domains.define(xml)
  await domain.start()
  await prepare(connection)
  await connection.close()
}

test('a guest that cannot be reached is not taken for one that is off', async () => {
  await startedAndLeft(({ driver }) => driver.controls.behave(name, { failAdoptions: 1 }))
  const connection = await open()
  const domain = await connection.domains.lookupByName(name)
  expect(await domain.state()).toEqual({ state: 'nostate', reason: 'unknown' })
  await expect(domain.start()).rejects.toMatchObject({
    code: 'OPERATION_INVALID',
    message: expect.stringContaining('does not answer'),
    hint: expect.stringContaining('destroy'),
  })
  await expect(domain.suspend()).rejects.toMatchObject({ code: 'OPERATION_INVALID' })
})

test('a guest that could not be reached is found by a later open', async () => {
  await startedAndLeft(({ driver }) => driver.controls.behave(name, { failAdoptions: 1 }))
  await (await open()).close()
  const connection = await open()
  const domain = await connection.domains.lookupByName(name)
  expect(await domain.state()).toEqual({ state: 'running', reason: 'booted' })
})

test('a guest that cannot be reached is ended by destroy, and the domain can be started then', async () => {
  await startedAndLeft(({ driver }) => driver.controls.behave(name, { failAdoptions: 1 }))
  const connection = await open()
  const domain = await connection.domains.lookupByName(name)
  const events: string[] = []
  connection.on('lifecycle', ({ event, detail }) => events.push(`${event}/${detail}`))
  await domain.destroy()
  expect(testWorld(uri).machines.size).toBe(0)
  await domain.start()
  expect(events).toEqual(['stopped/destroyed', 'started/booted'])
})

test('a damaged definition does not hide the guest that runs', async () => {
  await startedAndLeft()
  await testWorld(uri).store.saveDefinition(name, '<domain')
  const connection = await open()
  const domain = await connection.domains.lookupByName(name)
  expect(await domain.state()).toEqual({ state: 'running', reason: 'booted' })
  expect(await domain.isPersistent()).toBe(false)
})

test('a damaged definition keeps its name from being taken', async () => {
  await startedAndLeft(({ domains }) => domains.lookupByName(name).then((domain) => domain.destroy()))
  await testWorld(uri).store.saveDefinition(name, '<domain')
  const connection = await open()
  await expect(connection.domains.define(xml)).rejects.toMatchObject({ code: 'DOM_EXIST' })
})

test('a request to shut down goes on where an earlier process has left it', async () => {
  await startedAndLeft(async ({ driver, domains }) => {
    driver.controls.behave(name, { ignoreShutdowns: 2 })
    await (await domains.lookupByName(name)).shutdown()
  })
  const connection = await open()
  const domain = await connection.domains.lookupByName(name)
  await clock.advance(3500)
  expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'shutdown' })
})

test('a request to shut down that is more than a minute old is not made again', async () => {
  await startedAndLeft(async ({ driver, domains }) => {
    driver.controls.behave(name, { ignoreShutdowns: 1 })
    await (await domains.lookupByName(name)).shutdown()
  })
  await clock.advance(61_000)
  const connection = await open()
  const domain = await connection.domains.lookupByName(name)
  await clock.advance(61_000)
  expect(await domain.state()).toMatchObject({ state: 'running' })
})

test('asking a guest to restart ends the request to shut down', async () => {
  await startedAndLeft(async ({ driver, domains }) => {
    driver.controls.behave(name, { ignoreShutdowns: 1 })
    const domain = await domains.lookupByName(name)
    await domain.shutdown()
    await domain.reboot()
  })
  const connection = await open()
  const domain = await connection.domains.lookupByName(name)
  await clock.advance(61_000)
  expect(await domain.state()).toMatchObject({ state: 'running' })
})

test('a guest that a process has paused for a moment goes on where that has died', async () => {
  await startedAndLeft(async ({ domains }) => (await domains.lookupByName(name)).suspend({ brief: true }))
  const connection = await open()
  const domain = await connection.domains.lookupByName(name)
  expect(await domain.state()).toMatchObject({ state: 'running' })
  expect(testWorld(uri).machines.values().next().value?.phase).toBe('running')
})

test('a guest that was paused for a moment before is paused for good by the next who does', async () => {
  await startedAndLeft(async ({ domains }) => {
    const domain = await domains.lookupByName(name)
    await domain.suspend({ brief: true })
    await domain.resume()
    await domain.suspend()
  })
  const connection = await open()
  const domain = await connection.domains.lookupByName(name)
  expect(await domain.state()).toEqual({ state: 'paused', reason: 'user' })
})
