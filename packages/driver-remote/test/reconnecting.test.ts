import { setImmediate } from 'node:timers/promises'
import { Connection, type DriverEvent, FakeClock, parseConnectUri, VirError } from '@covirt/core'
import { type TestDriver, testProvider } from '@covirt/driver-test'
import { expect, test } from '@jest/globals'
import { uniqueName } from '../../../test/fixtures/index.js'
import { type LinkState, type RemoteDriver, remoteProvider } from '../src/index.js'
import { ReconnectingLink } from '../src/reconnecting-link.js'
import type { Session, SessionListener } from '../src/session.js'
import { faultyProxy } from './faulty-proxy.js'
import { serve } from './wire-world.js'

const domainXml = (name: string) =>
  `<domain type='test'><name>${name}</name><memory>1024</memory><os><type>hvm</type></os></domain>`

/** A test driver behind a server behind a network that fails when it is told to. */
async function place(query = '') {
  const uri = parseConnectUri(`test:///empty?root=${uniqueName('link')}`)
  const truth: TestDriver = await testProvider.open(uri)
  const served = await serve({ open: () => testProvider.open(uri) })
  const proxy = await faultyProxy(`${served.socket}-proxy`, served.socket)
  const driver: RemoteDriver = await remoteProvider.open(
    parseConnectUri(`test+unix:///empty?socket=${proxy.socket}${query}`),
  )
  const states: LinkState[] = []
  driver.onLinkState((state) => states.push(state))
  return {
    truth,
    proxy,
    driver,
    connection: new Connection(driver),
    states,
    next: (state: LinkState['state']) =>
      new Promise<LinkState>((resolve) => {
        const stop = driver.onLinkState((each) => {
          if (each.state !== state) return
          stop()
          resolve(each)
        })
      }),
    async [Symbol.asyncDispose]() {
      await driver.close()
      await proxy[Symbol.asyncDispose]()
      await served[Symbol.asyncDispose]()
      for (const domain of await truth.listDomains({ active: true })) await truth.destroyDomain(domain)
      await truth.close()
    },
  }
}

test('after the connection was lost calls work again, and the user is told', async () => {
  await using at = await place()
  const back = at.next('connected')
  at.proxy.cut()
  await expect(back).resolves.toEqual({ state: 'connected' })
  await expect(at.connection.domains.list()).resolves.toEqual([])
  expect(at.states.map(({ state }) => state)).toEqual(['away', 'connected'])
})

test('a resync comes before the events that follow', async () => {
  await using at = await place()
  const heard: DriverEvent[] = []
  at.driver.subscribe((event) => heard.push(event))
  const back = at.next('connected')
  at.proxy.cut()
  await back
  await at.connection.domains.define(domainXml('web'))
  expect(heard).toEqual([
    { type: 'resync', reason: 'reconnected', dropped: undefined },
    expect.objectContaining({ type: 'lifecycle', event: 'defined' }),
  ])
})

test('who waits for a state sees it, though the guest went there while nobody looked', async () => {
  await using at = await place()
  const domain = await at.connection.domains.define(domainXml('web'))
  await domain.start()
  const off = domain.waitFor('shutoff')
  await domain.state()
  at.proxy.cut()
  at.truth.controls.powerOff('web')
  await expect(off).resolves.toEqual({ state: 'shutoff', reason: 'shutdown' })
})

test('a call under way rejects with RPC, says that it may have been done, and is not sent again', async () => {
  await using at = await place()
  const domain = await at.connection.domains.define(domainXml('web'))
  at.truth.controls.behave('web', { startDelayMs: 100_000 })
  const starting = domain.start()
  await domain.state()
  at.proxy.cut()
  await expect(starting).rejects.toMatchObject({
    code: 'RPC',
    message: expect.stringMatching(/DOMAIN_CREATE_WITH_FLAGS: whether it has been done is not known/),
  })
  await expect(domain.state()).resolves.toMatchObject({ state: 'shutoff' })
})

test('a call made while the peer is away waits for its return', async () => {
  await using at = await place()
  const away = at.next('away')
  at.proxy.cut()
  await away
  await expect(at.connection.hostname()).resolves.toMatch(/\S/)
})

test('a call that waits for the return can be cancelled', async () => {
  await using at = await place()
  await at.proxy[Symbol.asyncDispose]()
  await at.next('away')
  const controller = new AbortController()
  const waiting = at.connection.hostname({ signal: controller.signal })
  await setImmediate()
  controller.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
})

test('a peer that is silent is held for lost', async () => {
  await using at = await place('&keepalive_interval=1&keepalive_count=1')
  const away = at.next('away')
  at.proxy.swallow()
  await expect(away).resolves.toMatchObject({
    error: { code: 'RPC', message: expect.stringMatching(/silent for 2 s/) },
  })
  at.proxy.heal()
  await expect(at.connection.domains.list()).resolves.toEqual([])
})

test('a call that is not answered in time rejects, and its answer harms nothing', async () => {
  await using at = await place('&call_timeout=1')
  const domain = await at.connection.domains.define(domainXml('web'))
  at.truth.controls.behave('web', { startDelayMs: 1200 })
  await expect(domain.start()).rejects.toMatchObject({ code: 'OPERATION_TIMEOUT' })
  await expect(domain.waitFor('running')).resolves.toMatchObject({ state: 'running' })
})

test('a console ends with an error where the connection is lost', async () => {
  await using at = await place()
  const domain = await at.connection.domains.create(domainXml('web'))
  const stream = await domain.openConsole()
  const error = new Promise((resolve) => stream.once('error', resolve))
  at.proxy.cut()
  await expect(error).resolves.toMatchObject({ code: 'RPC' })
})

test('a peer that refuses us is tried again after minutes alone, and one that is away after seconds', async () => {
  const clock = new FakeClock()
  const answers = ['RPC', 'RPC', 'AUTH_FAILED', 'AUTH_FAILED', 'RPC'] as const
  const triedAt: number[] = []
  let lose: (reason: VirError) => void = () => {}
  const session = {
    listen: ({ onClose }: SessionListener) => {
      lose = onClose
    },
  } as Session
  let first = true
  const link = await ReconnectingLink.open(
    {
      clock,
      awayTimeoutMs: 1000,
      connect: async () => {
        if (first) return session
        triedAt.push(clock.now())
        throw new VirError(answers[triedAt.length - 1] ?? 'RPC', 'no')
      },
      onSession: () => {},
      onState: () => {},
      onEvent: () => {},
    },
    undefined,
  )
  first = false
  lose(new VirError('RPC', 'lost'))
  await clock.advance(700_000)
  await link.close(0)
  const [, , toRefusal = 0, toNext = 0, toLast = 0, after = 0] = triedAt.map(
    (at, index) => at - (triedAt[index - 1] ?? 0),
  )
  expect(toRefusal).toBeLessThanOrEqual(200)
  for (const pauseMs of [toNext, toLast]) {
    expect(pauseMs).toBeGreaterThanOrEqual(150_000)
    expect(pauseMs).toBeLessThanOrEqual(300_000)
  }
  expect(after).toBeLessThanOrEqual(10_000)
})

test('what is closed while the peer is away stays closed', async () => {
  await using at = await place()
  await at.proxy[Symbol.asyncDispose]()
  await at.next('away')
  const waiting = at.connection.hostname()
  await at.driver.close()
  await expect(waiting).rejects.toMatchObject({ code: 'INVALID_CONN' })
  expect(at.states.at(-1)).toEqual({ state: 'closed' })
})
