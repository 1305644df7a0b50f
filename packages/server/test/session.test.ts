import { abortError, FakeClock, VirError } from '@covirt/core'
import {
  decodeValue,
  domainMessages,
  encodeFrame,
  errorRecord,
  features,
  frameStatuses,
  frameTypes,
  legacyDomainMessages,
} from '@covirt/protocol'
import { describe, expect, test } from '@jest/globals'
import { domainXml, serverScene } from './support/scene.js'

const lookup = { name: 'test' }

describe('a connection', () => {
  test('answers what a client asks before it opens', async () => {
    await using scene = await serverScene()
    const { client } = scene.connect()
    expect(await client.call('authList', {})).toEqual({ types: [0] })
    expect(await client.call('connectSupportsFeature', { feature: features.eventCallbackIds })).toEqual({
      supported: true,
    })
  })

  test('refuses everything else before it is open', async () => {
    await using scene = await serverScene()
    const { client } = scene.connect()
    await expect(client.call('domainLookupByName', lookup)).rejects.toMatchObject({ code: 'INVALID_CONN' })
  })

  test('can be opened once', async () => {
    await using scene = await serverScene()
    const client = await scene.open()
    await expect(client.open(scene.uri)).rejects.toMatchObject({ code: 'OPERATION_INVALID' })
  })

  test('can be opened after it was refused', async () => {
    await using scene = await serverScene()
    const { client } = scene.connect()
    await expect(client.open('test:///nowhere')).rejects.toMatchObject({ code: 'INVALID_ARG' })
    await client.open(scene.uri)
    expect((await client.call('domainLookupByName', lookup)).domain.name).toBe('test')
  })

  test('ends after it was closed, once that is answered', async () => {
    await using scene = await serverScene()
    const client = await scene.open()
    await client.call('connectClose', {})
    expect(await client.closed).toBeUndefined()
  })

  test('is cut some time after it was closed, where the client does not take the last of its answers', async () => {
    const clock = new FakeClock()
    await using scene = await serverScene({ clock, limits: { leavingMs: 1000 } })
    const { client, far, served } = scene.connect()
    await client.open(scene.uri)
    client.channel.pause()
    for (let calls = 0; calls < 500; calls++) void client.begin('connectGetCapabilities', {})
    void client.begin('connectClose', {})
    for (let turns = 0; turns < 100; turns++) await new Promise((resolve) => setImmediate(resolve))
    expect([far.writableEnded, far.destroyed, scene.server.clients]).toEqual([true, false, 1])
    await clock.advance(1000)
    await served.closed
    expect(far.destroyed).toBe(true)
  })

  test('is forgotten when the client vanishes', async () => {
    await using scene = await serverScene()
    const { client, served } = scene.connect()
    await client.open(scene.uri)
    client.channel.destroy()
    await served.closed
    expect(scene.server.clients).toBe(0)
  })

  test('is refused where the policy grants nothing', async () => {
    await using scene = await serverScene({ policy: () => undefined })
    const { client } = scene.connect()
    await expect(client.open(scene.uri)).rejects.toMatchObject({ code: 'AUTH_FAILED' })
  })

  test('too many is cut at once', async () => {
    await using scene = await serverScene({ limits: { clients: 1 } })
    await scene.open()
    await scene.connect().client.closed
    expect(scene.server.clients).toBe(1)
  })
})

describe('an answer', () => {
  test('to an unknown program is error 39, as of libvirt', async () => {
    await using scene = await serverScene()
    const client = await scene.open()
    const frame = await client.raw(encodeFrame(header({ program: 0x1234, serial: 9 })), 9)
    expect(decodeValue(errorRecord, frame.payload)).toMatchObject({ number: 39, domainNumber: 7 })
  })

  test('to an unknown procedure is error 3', async () => {
    await using scene = await serverScene()
    const client = await scene.open()
    const frame = await client.raw(encodeFrame(header({ procedure: 9999, serial: 9 })), 9)
    expect(decodeValue(errorRecord, frame.payload)).toMatchObject({ number: 3 })
  })

  test('to arguments that cannot be read is an error, and the connection goes on', async () => {
    await using scene = await serverScene()
    const client = await scene.open()
    const frame = await client.raw(encodeFrame(header({ procedure: 23, serial: 9 }), Buffer.alloc(3)), 9)
    expect(decodeValue(errorRecord, frame.payload)).toMatchObject({ number: 39 })
    expect((await client.call('domainLookupByName', lookup)).domain.name).toBe('test')
  })

  test('comes out of order where a call takes longer', async () => {
    await using scene = await serverScene()
    const client = await scene.open()
    scene.controls.behave('slow', { startDelayMs: 60_000 })
    const { domain } = await client.call('domainDefineXml', { xml: domainXml('slow') })
    const start = client.begin('domainCreate', { domain })
    expect((await client.call('domainLookupByName', lookup)).domain.name).toBe('test')
    await client.call('covirtCancel', { serial: start.header.serial })
    expect(decodeValue(errorRecord, (await start.reply).payload)).toMatchObject({ code: 'OPERATION_ABORTED' })
  })
})

test('statistics of a domain that is named many times are told once', async () => {
  await using scene = await serverScene()
  const client = await scene.open()
  const { domain } = await client.call('domainLookupByName', lookup)
  const domains = Array(1000).fill(domain)
  const { records } = await client.call('connectGetAllDomainStats', { domains, stats: 0, flags: 0 })
  expect(records).toHaveLength(1)
})

test('of more processors than an answer can hold as many are told as it can', async () => {
  await using scene = await serverScene()
  const client = await scene.open()
  const { driver } = scene.connection
  const { domain } = await client.call('domainLookupByName', lookup)
  const info = await driver.getDomainInfo(domain)
  const node = await driver.getNodeInfo()
  driver.getDomainInfo = async () => ({ ...info, vcpus: 4_000_000_000 })
  driver.getNodeInfo = async () => ({ ...node, cpus: 100_000 })
  Object.assign(driver, { statistics: undefined })
  const asked = { domain, max: 0x7fff_ffff, mapBytes: 0x7fff_ffff }
  const { items, cpuMaps } = await client.call('domainGetVcpus', asked)
  expect([items.length, cpuMaps.length]).toEqual([4096, 8_388_608])
  expect(await client.call('domainGetVcpuPinInfo', { ...asked, flags: 0 })).toMatchObject({ count: 4096 })
})

test('a call that is cancelled cancels no other, before or after it', async () => {
  await using scene = await serverScene()
  const client = await scene.open()
  const { driver } = scene.connection
  const { domain } = await client.call('domainLookupByName', lookup)
  const signals: (AbortSignal | undefined)[] = []
  const lookupDomain = driver.lookupDomain.bind(driver)
  driver.lookupDomain = (key, options) => {
    signals.push(options?.signal)
    return lookupDomain(key, options)
  }
  await client.call('domainLookupByName', lookup)
  driver.getDomainXml = (_, options) =>
    new Promise((_resolve, reject) =>
      options?.signal?.addEventListener('abort', () => reject(abortError(options.signal as AbortSignal))),
    )
  const { header: asked, reply } = client.begin('domainGetXmlDesc', { domain, flags: 0 })
  await client.call('covirtCancel', { serial: asked.serial })
  expect((await reply).status).toBe(frameStatuses.error)
  await client.call('domainLookupByName', lookup)
  await client.call('domainLookupByName', lookup)
  expect(signals.slice(1).map((signal) => signal?.aborted)).toEqual([false, false])
  expect(signals[1]).toBe(signals[2])
})

describe('many calls at a time', () => {
  test('are all answered, in a bounded number at a time', async () => {
    let running = 0
    let most = 0
    await using scene = await serverScene({
      limits: { runningCalls: 3, waitingCalls: 5 },
    })
    const client = await scene.open()
    const { getDomainState } = scene.connection.driver
    scene.connection.driver.getDomainState = async (...args) => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      return getDomainState.apply(scene.connection.driver, args)
    }
    const { domain } = await client.call('domainLookupByName', lookup)
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => client.call('domainGetState', { domain, flags: 0 })),
    )
    expect(answers).toHaveLength(200)
    expect(most).toBe(3)
  })
})

describe('a read-only connection', () => {
  const open = async (scene: Awaited<ReturnType<typeof serverScene>>) => {
    const client = await scene.connect({ readOnly: true }).client.open(scene.uri)
    return { client, ...(await client.call('domainLookupByName', lookup)) }
  }

  test('may ask', async () => {
    await using scene = await serverScene()
    const { client, domain } = await open(scene)
    expect(await client.call('domainGetState', { domain, flags: 0 })).toEqual({ state: 1, reason: 1 })
  })

  test('may change nothing', async () => {
    await using scene = await serverScene()
    const { client, domain } = await open(scene)
    await expect(client.call('domainDestroy', { domain })).rejects.toMatchObject({ number: 29 })
  })

  test('gets no document with secrets', async () => {
    await using scene = await serverScene()
    const { client, domain } = await open(scene)
    await expect(client.call('domainGetXmlDesc', { domain, flags: 1 })).rejects.toMatchObject({ number: 29 })
  })

  test('is what a client gets that asks for it', async () => {
    await using scene = await serverScene()
    const client = await scene.connect().client.open(scene.uri, 1)
    const { domain } = await client.call('domainLookupByName', lookup)
    await expect(client.call('domainDestroy', { domain })).rejects.toMatchObject({ number: 29 })
  })
})

describe('while the server is drained', () => {
  test('what changes something is refused with the reason, and questions are answered', async () => {
    await using scene = await serverScene()
    const client = await scene.open()
    const { domain } = await client.call('domainLookupByName', lookup)
    scene.server.drain('the host is going down')
    await expect(client.call('domainDestroy', { domain })).rejects.toThrow('the host is going down')
    expect(await client.call('domainIsActive', { domain })).toEqual({ active: true })
    const { xml } = await client.call('connectGetDomainCapabilities', { flags: 0 })
    expect(xml).toMatch('<domainCapabilities>')
  })
})

describe('events', () => {
  test('come with the id of their registration, before the answer to the call that has caused them', async () => {
    await using scene = await serverScene()
    const client = await scene.open()
    const { domain } = await client.call('domainLookupByName', lookup)
    const { callbackId } = await client.call('connectDomainEventCallbackRegisterAny', { eventId: 0 })
    await client.call('domainSuspend', { domain })
    const [event] = client.messages
    expect(event?.procedure).toBe(318)
    expect(decodeValue(domainMessages.lifecycle.body, event?.payload ?? Buffer.alloc(0))).toEqual({
      callbackId,
      domain,
      event: 3,
      detail: 0,
    })
  })

  test('of one domain alone come where that was asked for', async () => {
    await using scene = await serverScene()
    const client = await scene.open()
    const { domain: test } = await client.call('domainLookupByName', lookup)
    const { domain } = await client.call('domainDefineXml', { xml: domainXml('other') })
    await client.call('connectDomainEventCallbackRegisterAny', { eventId: 0, domain })
    await client.call('domainSuspend', { domain: test })
    await client.call('domainCreate', { domain })
    expect(client.messages).toHaveLength(1)
  })

  test('come without an id to clients that know none', async () => {
    await using scene = await serverScene()
    const client = await scene.open()
    const { domain } = await client.call('domainLookupByName', lookup)
    expect(await client.call('connectDomainEventRegister', {})).toEqual({ registrations: 1 })
    await client.call('domainSuspend', { domain })
    const [event] = client.messages
    expect(event?.procedure).toBe(107)
    expect(decodeValue(legacyDomainMessages.lifecycle.body, event?.payload ?? Buffer.alloc(0))).toEqual({
      domain,
      event: 3,
      detail: 0,
    })
  })

  test('end with their registration', async () => {
    await using scene = await serverScene()
    const client = await scene.open()
    const { domain } = await client.call('domainLookupByName', lookup)
    const registration = await client.call('connectDomainEventCallbackRegisterAny', { eventId: 0 })
    await client.call('connectDomainEventCallbackDeregisterAny', registration)
    await client.call('domainSuspend', { domain })
    expect(client.messages).toEqual([])
  })

  test('can be registered for where there will be none, and of kinds that nobody knows cannot', async () => {
    await using scene = await serverScene()
    const client = await scene.open()
    await client.call('connectNetworkEventRegisterAny', { eventId: 0 })
    const unknown = client.call('connectDomainEventCallbackRegisterAny', { eventId: 99 })
    await expect(unknown).rejects.toMatchObject({ code: 'INVALID_ARG' })
  })

  test('that a client does not read cut it off at the bound', async () => {
    await using scene = await serverScene({ limits: { unreadBytes: 200_000 } })
    const { client, served } = scene.connect()
    await client.open(scene.uri)
    const { domain } = await client.call('domainLookupByName', lookup)
    for (let count = 0; count < 100; count++)
      await client.call('connectDomainEventCallbackRegisterAny', { eventId: 0 })
    client.channel.pause()
    let cut = false
    void served.closed.then(() => {
      cut = true
    })
    for (let count = 0; count < 200 && !cut; count++) {
      await scene.connection.driver.suspendDomain(domain)
      await scene.connection.driver.resumeDomain(domain)
    }
    expect(cut).toBe(true)
  })
})

describe('signs of life', () => {
  test('are asked for only after the client has said that it answers them', async () => {
    const clock = new FakeClock()
    await using scene = await serverScene({ clock, limits: { keepaliveMs: 5000 } })
    const client = await scene.open()
    await clock.advance(60_000)
    expect(client.pings).toBe(0)
    await client.call('connectSupportsFeature', { feature: features.keepalive })
    const asked = client.until(() => client.pings === 1)
    await clock.advance(5000)
    await asked
    expect(client.pings).toBe(1)
  })

  test('that are missing end the connection', async () => {
    const clock = new FakeClock()
    await using scene = await serverScene({ clock })
    const client = await scene.open()
    client.answersPings = false
    await client.call('connectSupportsFeature', { feature: features.keepalive })
    await clock.advance(31_000)
    await client.closed
    expect(client.channel.closed).toBe(true)
  })

  test('do not save a client that never opens its connection', async () => {
    const clock = new FakeClock()
    await using scene = await serverScene({ clock })
    const { client } = scene.connect()
    await client.call('connectSupportsFeature', { feature: features.keepalive })
    await clock.advance(31_000)
    await client.closed
    expect(client.channel.closed).toBe(true)
  })
})

describe('a domain that is to go down with its client', () => {
  test('is destroyed when the client has gone', async () => {
    await using scene = await serverScene()
    const { client, served } = scene.connect()
    await client.open(scene.uri)
    await client.call('domainCreateXml', { xml: domainXml('brief'), flags: 2 })
    client.channel.destroy()
    await served.closed
    await expect(scene.connection.driver.lookupDomain({ name: 'brief' })).rejects.toBeInstanceOf(VirError)
  })

  test('lives on where somebody else has started it again since', async () => {
    await using scene = await serverScene()
    const { client, served } = scene.connect()
    await client.open(scene.uri)
    const { domain } = await client.call('domainDefineXml', { xml: domainXml('again') })
    await client.call('domainCreateWithFlags', { domain, flags: 2 })
    const other = await scene.open()
    await other.call('domainDestroy', { domain })
    await other.call('domainCreate', { domain })
    client.channel.destroy()
    await served.closed
    expect(await scene.connection.driver.getDomainState(domain)).toMatchObject({ state: 'running' })
  })
})

function header(change: Partial<Parameters<typeof encodeFrame>[0]>) {
  return {
    program: 0x2000_8086,
    version: 1,
    procedure: 1,
    type: frameTypes.call,
    serial: 1,
    status: frameStatuses.ok,
    ...change,
  }
}
