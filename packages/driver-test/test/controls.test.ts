import { once } from 'node:events'
import { Connection, FakeClock, parseConnectUri } from '@covirt/core'
import { expect, test } from '@jest/globals'
import { type TestDriver, testProvider } from '../src/index.js'

let worlds = 0

async function open(
  options: { clock?: FakeClock; path?: string; root?: string } = {},
): Promise<Connection<TestDriver>> {
  const { clock, path = '/empty', root = `controls-${++worlds}` } = options
  const uri = parseConnectUri(`test://${path}?root=${root}`)
  return new Connection(await testProvider.open(uri, clock ? { clock } : {}))
}

function xml(name: string, elements = ''): string {
  return `<domain type='test'><name>${name}</name><memory unit='MiB'>64</memory>${elements}</domain>`
}

/** A connection in virtual time with one running domain. */
async function scene(elements = '') {
  const clock = new FakeClock()
  const connection = await open({ clock })
  const domain = await connection.domains.define(xml('guest', elements))
  await domain.start()
  const events: string[] = []
  connection.on('lifecycle', ({ event, detail }) => events.push(`${event}/${detail}`))
  connection.on('reboot', () => events.push('reboot'))
  connection.on('agent', ({ state }) => events.push(`agent/${state}`))
  return { clock, connection, domain, events, controls: connection.driver.controls }
}

test('a guest that takes its time to go off is off after that time, and not before', async () => {
  const { clock, domain, controls } = await scene()
  controls.behave('guest', { shutdownDelayMs: 3000 })
  await domain.shutdown()
  await clock.advance(2999)
  expect(await domain.isActive()).toBe(true)
  await clock.advance(1)
  expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'shutdown' })
})

test('a guest that ignores the first request goes off at the second, which the driver sends', async () => {
  const { clock, domain, controls } = await scene()
  controls.behave('guest', { ignoreShutdowns: 1 })
  await domain.shutdown()
  expect(controls.behaviourOf('guest').ignoreShutdowns).toBe(0)
  await clock.advance(10_000)
  expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'shutdown' })
})

test('a request to go off is sent again for a minute, and then no more', async () => {
  const { clock, domain, controls } = await scene()
  controls.behave('guest', { ignoreShutdowns: 1000 })
  await domain.shutdown()
  await clock.advance(61_000)
  const { ignoreShutdowns } = controls.behaviourOf('guest')
  expect(ignoreShutdowns).toBeLessThan(997)
  await clock.advance(600_000)
  expect(controls.behaviourOf('guest').ignoreShutdowns).toBe(ignoreShutdowns)
  expect(await domain.isActive()).toBe(true)
})

test('a guest that ignores a request to restart goes on', async () => {
  const { clock, domain, controls, events } = await scene()
  controls.behave('guest', { ignoreReboots: 1, rebootDelayMs: 500 })
  await domain.reboot()
  await clock.advance(60_000)
  expect(events).toEqual([])
  await domain.reboot()
  await clock.advance(500)
  expect(events).toEqual(['reboot'])
})

test('a start takes as long as it is told to', async () => {
  const { clock, domain, controls } = await scene()
  await domain.destroy()
  controls.behave('guest', { startDelayMs: 20_000 })
  const starting = domain.start()
  await clock.advance(19_999)
  expect(await domain.isActive()).toBe(false)
  await clock.advance(1)
  await starting
  expect(await domain.isActive()).toBe(true)
})

test('starts fail as often as they are told to', async () => {
  const { domain, controls } = await scene()
  await domain.destroy()
  controls.behave('guest', { failStarts: 2 })
  await expect(domain.start()).rejects.toMatchObject({ code: 'OPERATION_FAILED' })
  await expect(domain.start()).rejects.toMatchObject({ code: 'OPERATION_FAILED' })
  await domain.start()
  expect(await domain.isActive()).toBe(true)
})

test('a guest that hangs acts on nothing until it is reset', async () => {
  const { clock, domain, controls, events } = await scene()
  controls.hang('guest')
  await domain.shutdown()
  await domain.reboot()
  await clock.advance(120_000)
  expect(events).toEqual([])
  await domain.reset()
  await domain.shutdown()
  await clock.advance(1000)
  expect(events).toEqual(['reboot', 'stopped/shutdown'])
})

test('a crash is told with its message to the log alone', async () => {
  const { domain, controls, events } = await scene()
  const off = domain.waitFor('shutoff')
  controls.crash('guest', 'out of luck')
  expect(await off).toEqual({ state: 'shutoff', reason: 'crashed' })
  expect(events).toEqual(['stopped/crashed'])
})

test('a guest that crashes again and again is started again after a moment', async () => {
  const { clock, domain, controls, events } = await scene('<on_crash>restart</on_crash>')
  controls.crash('guest')
  await clock.advance(0)
  expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'crashed' })
  await clock.advance(5000)
  expect(events).toEqual(['stopped/crashed', 'started/booted'])
})

test('processor time is the time for which the guest ran, pauses left out', async () => {
  const { clock, domain } = await scene()
  await clock.advance(2000)
  await domain.suspend()
  await clock.advance(5000)
  await domain.resume()
  await clock.advance(1000)
  expect((await domain.info()).cpuTimeNs).toBe(3_000_000_000n)
})

test('the agent comes a while after the start, and goes when it is told to', async () => {
  const channel = `<devices><channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel></devices>`
  const clock = new FakeClock()
  const connection = await open({ clock })
  const { controls } = connection.driver
  controls.behave('guest', { agentDelayMs: 4000 })
  const domain = await connection.domains.create(xml('guest', channel))
  const ping = () => domain.agentCommand('{"execute":"guest-ping"}')
  await clock.advance(3999)
  await expect(ping()).rejects.toMatchObject({ code: 'AGENT_UNRESPONSIVE' })
  await clock.advance(1)
  expect(JSON.parse(await ping())).toEqual({ return: {} })
  controls.disconnectAgent('guest')
  await expect(ping()).rejects.toMatchObject({ code: 'AGENT_UNRESPONSIVE' })
  controls.connectAgent('guest')
  expect(JSON.parse(await ping())).toEqual({ return: {} })
})

test('the agent tells what it knows, and shuts its guest down', async () => {
  const { clock, domain, controls } = await scene()
  controls.connectAgent('guest')
  const ask = async (execute: string) => JSON.parse(await domain.agentCommand(JSON.stringify({ execute })))
  expect(await ask('guest-get-host-name')).toEqual({ return: { 'host-name': 'guest' } })
  expect((await ask('guest-info')).return.supported_commands).toContainEqual(
    expect.objectContaining({ name: 'guest-shutdown' }),
  )
  await ask('guest-shutdown')
  await clock.advance(0)
  expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'shutdown' })
})

test('what a guest prints is read from its console', async () => {
  const { domain, controls } = await scene()
  const stream = await domain.openConsole()
  controls.print('guest', 'login: ')
  const [chunk] = await once(stream, 'data')
  expect(String(chunk)).toBe('login: ')
  stream.destroy()
})

test('a control for a guest that does not run is refused', async () => {
  const { domain, controls } = await scene()
  await domain.destroy()
  for (const act of [controls.crash, controls.panic, controls.hang, controls.powerOff, controls.reboot]) {
    expect(() => act.call(controls, 'guest')).toThrow(expect.objectContaining({ code: 'OPERATION_INVALID' }))
  }
})

test('a guest lives on, and its time passes, while no connection is open', async () => {
  const clock = new FakeClock()
  const root = `controls-${++worlds}`
  const first = await open({ clock, root })
  const domain = await first.domains.create(xml('guest'))
  await first.close()
  await clock.advance(7000)
  await using second = await open({ clock, root })
  const again = await second.domains.lookupByUuid(domain.uuid)
  expect((await again.info()).cpuTimeNs).toBe(7_000_000_000n)
})

test('a guest whose saving is cancelled goes on, and nothing was told', async () => {
  const { domain, controls, events } = await scene()
  controls.behave('guest', { saveDelayMs: 1000 })
  const cancelled = new AbortController()
  const saving = domain.managedSave({ signal: cancelled.signal })
  await new Promise(setImmediate)
  expect(await domain.state()).toEqual({ state: 'paused', reason: 'save' })
  cancelled.abort()
  await expect(saving).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
  expect(await domain.state()).toEqual({ state: 'running', reason: 'booted' })
  expect(await domain.hasManagedSave()).toBe(false)
  expect(events).toEqual([])
})

test('a guest that is destroyed while it is being saved is gone, and not saved', async () => {
  const { domain, controls, events } = await scene()
  controls.behave('guest', { saveDelayMs: 1000 })
  const saving = domain.managedSave()
  saving.catch(() => {})
  await new Promise(setImmediate)
  await domain.destroy()
  await expect(saving).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
  expect(await domain.hasManagedSave()).toBe(false)
  expect(events).toEqual(['stopped/destroyed'])
})

test('a guest that dies while it is being saved has crashed, and is not saved', async () => {
  const { clock, domain, controls } = await scene()
  controls.behave('guest', { saveDelayMs: 1000 })
  const saving = domain.managedSave()
  saving.catch(() => {})
  await new Promise(setImmediate)
  controls.crash('guest')
  await clock.advance(1000)
  await expect(saving).rejects.toMatchObject({ code: 'OPERATION_INVALID' })
  await domain.waitFor('shutoff')
  expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'crashed' })
  expect(await domain.hasManagedSave()).toBe(false)
})
