import { expect, test } from '@jest/globals'
import { Connection, type Driver, type DriverEvent, type ResetRole } from '../src/index.js'
import { stubDriver } from './stub-driver.js'

test('a closed connection refuses every call with INVALID_CONN', async () => {
  const { driver } = stubDriver()
  const connection = new Connection(driver)
  const domain = await connection.domains.lookupByName('one')
  await connection.close()
  await expect(connection.domains.list()).rejects.toMatchObject({ code: 'INVALID_CONN' })
  await expect(domain.state()).rejects.toMatchObject({ code: 'INVALID_CONN' })
  expect(() => connection.on('lifecycle', () => {})).toThrow(
    expect.objectContaining({ code: 'INVALID_CONN' }),
  )
})

test('closing twice closes the driver once', async () => {
  const { driver, world } = stubDriver()
  const connection = new Connection(driver)
  await Promise.all([connection.close(), connection.close()])
  expect(world.closed).toBe(1)
})

test('await using closes the connection', async () => {
  const { driver, world } = stubDriver()
  {
    await using connection = new Connection(driver)
    expect(connection.closed).toBe(false)
  }
  expect(world.closed).toBe(1)
})

test('a listener hears the events of its type until it unsubscribes', async () => {
  const { driver, domain, hub } = stubDriver()
  const connection = new Connection(driver)
  const heard: DriverEvent[] = []
  const unsubscribe = connection.on('reboot', (event) => heard.push(event))
  hub.emit({ type: 'reboot', domain })
  hub.emit({ type: 'agent', domain, state: 'connected' })
  unsubscribe()
  hub.emit({ type: 'reboot', domain })
  expect(heard).toEqual([{ type: 'reboot', domain }])
})

test('closing ends the loops over events', async () => {
  const { driver, domain, hub } = stubDriver()
  const connection = new Connection(driver)
  const events = connection.events()
  hub.emit({ type: 'reboot', domain })
  await connection.close()
  const seen = []
  for await (const event of events) seen.push(event)
  expect(seen).toHaveLength(1)
})

test('a slow reader is told how many events it has missed, and then gets the newest', async () => {
  const { driver, domain, hub } = stubDriver()
  const events = new Connection(driver).events({ limit: 2 })
  for (let i = 0; i < 5; i++) hub.emit({ type: 'reboot', domain: { ...domain, id: i } })
  await expect(events.next()).resolves.toMatchObject({ value: { type: 'resync', dropped: 4 } })
  await expect(events.next()).resolves.toMatchObject({ value: { type: 'reboot', domain: { id: 4 } } })
})

test('two readers of one stream get one event each', async () => {
  const { driver, domain, hub } = stubDriver()
  const events = new Connection(driver).events()
  const both = Promise.all([events.next(), events.next()])
  hub.emit({ type: 'reboot', domain })
  hub.emit({ type: 'agent', domain, state: 'connected' })
  const types = (await both).map(({ value }) => value?.type)
  expect(types.sort()).toEqual(['agent', 'reboot'])
})

test('a signal ends a loop over events without an error', async () => {
  const abort = new AbortController()
  const events = new Connection(stubDriver().driver).events({ signal: abort.signal })
  const next = events.next()
  abort.abort()
  await expect(next).resolves.toEqual({ done: true, value: undefined })
})

test('a loop over events whose signal has fired before is over at once', async () => {
  const events = new Connection(stubDriver().driver).events({ signal: AbortSignal.abort() })
  await expect(events.next()).resolves.toEqual({ done: true, value: undefined })
})

test('waitFor resolves at once where the state is reached already', async () => {
  const { driver } = stubDriver()
  const domain = await new Connection(driver).domains.lookupByName('one')
  await expect(domain.waitFor('running')).resolves.toEqual({ state: 'running', reason: 'booted' })
})

test('waitFor takes the end of a transient domain for shutoff', async () => {
  const { driver, domain: ref, hub, world } = stubDriver()
  const domain = await new Connection(driver).domains.lookupByName('one')
  const wait = domain.waitFor('shutoff')
  await domain.state()
  world.state = undefined
  hub.emit({ type: 'lifecycle', domain: ref, event: 'stopped', detail: 'crashed' })
  await expect(wait).resolves.toEqual({ state: 'shutoff', reason: 'crashed' })
})

test('waitFor is cancelled by its signal', async () => {
  const domain = await new Connection(stubDriver().driver).domains.lookupByName('one')
  const abort = new AbortController()
  const wait = domain.waitFor('shutoff', { signal: abort.signal })
  abort.abort()
  await expect(wait).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
})

test('waitFor says so when the connection is closed meanwhile', async () => {
  const connection = new Connection(stubDriver().driver)
  const domain = await connection.domains.lookupByName('one')
  const wait = domain.waitFor('shutoff')
  await domain.state()
  await connection.close()
  await expect(wait).rejects.toMatchObject({ code: 'INVALID_CONN' })
})

test('a method whose role the driver lacks rejects with NO_SUPPORT', async () => {
  const domain = await new Connection(stubDriver().driver).domains.lookupByName('one')
  await expect(domain.reset()).rejects.toMatchObject({ code: 'NO_SUPPORT' })
})

test('TypeScript knows the roles of a known driver', async () => {
  interface WithReset extends Driver {
    readonly reset: ResetRole
    readonly console?: undefined
  }
  const reset: ResetRole = { resetDomain: async () => {} }
  const driver = stubDriver({ reset }).driver as WithReset
  const domain = await new Connection(driver).domains.lookupByName('one')
  await domain.reset()
  // @ts-expect-error: the driver has no console
  expect(domain.openConsole).toBeDefined()
})

test('arguments of the wrong type are a TypeError', async () => {
  const { domains } = new Connection(stubDriver().driver)
  await expect(domains.define(undefined as unknown as string)).rejects.toThrow(TypeError)
  await expect(domains.lookupById('1' as unknown as number)).rejects.toThrow(TypeError)
})
