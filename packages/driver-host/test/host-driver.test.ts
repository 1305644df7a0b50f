import { randomUUID } from 'node:crypto'
import { type DriverEvent, FakeClock, parseConnectUri, roleNames, VirError } from '@covirt/core'
import { describe, expect, test } from '@jest/globals'
import { hostProvider, unusableDriversOf } from '../src/index.js'
import { documents, domainXml, missingMember, openHost, slowMember, testMember } from './host-world.js'

const code = (name: string) => expect.objectContaining({ code: name })

describe('the drivers of a host', () => {
  test('share one list', async () => {
    await using host = await openHost([testMember('one'), testMember('two')])
    await host.domains.define(domainXml('one', 'a'))
    await (await host.domains.define(domainXml('two', 'b'))).start()
    const stats = await host.domains.stats()
    expect(stats.map(({ domain, state }) => [domain.name, state.state])).toEqual([
      ['a', 'shutoff'],
      ['b', 'running'],
    ])
    await expect(host.domains.list({ active: true })).resolves.toHaveLength(1)
  })

  test('get the domains of their types', async () => {
    const [one, two] = [testMember('one'), testMember('two')]
    await using host = await openHost([one, two])
    await host.domains.define(domainXml('two', 'b'))
    await expect(one.opened[0]?.listDomains()).resolves.toEqual([])
    await expect(two.opened[0]?.listDomains()).resolves.toMatchObject([{ name: 'b' }])
  })

  test('are told apart by the types they run', async () => {
    await using host = await openHost([testMember('one')])
    await expect(host.domains.define(domainXml('three', 'c'))).rejects.toMatchObject({
      code: 'CONFIG_UNSUPPORTED',
      hint: 'The types known here: one',
    })
  })

  test('tell their events through one connection', async () => {
    await using host = await openHost([testMember('one'), testMember('two')])
    const seen: string[] = []
    host.on('lifecycle', ({ domain, event }) => seen.push(`${domain.name} ${event}`))
    await host.domains.define(domainXml('one', 'a'))
    await host.domains.create(domainXml('two', 'b'))
    expect(seen).toEqual(['a defined', 'b started'])
  })

  test('have their capabilities merged', async () => {
    await using host = await openHost([testMember('one'), missingMember('two', 'no'), testMember('three')])
    await expect(host.capabilities()).resolves.toBe('2 documents')
  })
})

describe('a driver that cannot be used', () => {
  test('is shown with its reason, and hides no other', async () => {
    await using host = await openHost([missingMember('one', 'liblxc is not installed'), testMember('two')])
    expect(host.driver.drivers()).toMatchObject([
      { scheme: 'one', available: false, reason: 'liblxc is not installed' },
      { scheme: 'two', available: true, type: 'TEST', roles: [...roleNames] },
    ])
    await host.domains.define(domainXml('two', 'b'))
    await expect(host.domains.list()).resolves.toHaveLength(1)
  })

  test('gives its reason to who defines a domain for it', async () => {
    await using host = await openHost([missingMember('one', 'liblxc is not installed'), testMember('two')])
    await expect(host.domains.define(domainXml('one', 'a'))).rejects.toMatchObject({
      code: 'CONFIG_UNSUPPORTED',
      message: expect.stringContaining('liblxc is not installed'),
    })
  })

  test('may also fail while it is opened', async () => {
    const broken = testMember('one')
    const open = () => Promise.reject(new VirError('NO_CONNECT', 'permission denied', { hint: 'Be root' }))
    await using host = await openHost([
      { ...broken, provider: { ...broken.provider, open } },
      testMember('two'),
    ])
    expect(host.driver.drivers()[0]).toMatchObject({
      available: false,
      reason: 'permission denied (Be root)',
    })
  })

  test('is not in the way of another, which alone serves the connection', async () => {
    await using host = await openHost([missingMember('one', 'no'), testMember('two')])
    await expect(host.domains.list()).resolves.toEqual([])
    await expect(host.hostname()).resolves.not.toBe('')
    await expect(host.nodeInfo()).resolves.toHaveProperty('cpus')
  })

  test('is the reason why there is no connection, where there is no other', async () => {
    const opening = openHost([
      missingMember('one', 'liblxc is not installed'),
      missingMember('two', 'nor here'),
    ])
    await expect(opening).rejects.toMatchObject({
      code: 'NO_CONNECT',
      message: 'No driver can be used here: one: liblxc is not installed; two: nor here',
      hint: expect.any(String),
    })
  })

  test('is also told to the program that is refused for want of another', async () => {
    const error = await openHost([missingMember('one', 'no')]).catch((thrown: unknown) => thrown)
    expect(unusableDriversOf(error)).toEqual([
      { scheme: 'one', domainTypes: ['one'], available: false, reason: 'no' },
    ])
    expect(unusableDriversOf(new Error('of another kind'))).toBeUndefined()
  })
})

describe('a root that another process holds', () => {
  const busy = testMember('one')
  const open = () => Promise.reject(new VirError('RESOURCE_BUSY', 'held by process 7'))
  const member = { ...busy, provider: { ...busy.provider, open } }

  test('fails the connection, as its domains would be hidden otherwise', async () => {
    await expect(openHost([member, testMember('two')])).rejects.toMatchObject({
      code: 'RESOURCE_BUSY',
      message: 'held by process 7',
    })
  })

  test('closes the drivers that had been opened', async () => {
    let closed = 0
    const other = testMember('two', (driver) => ({
      close: async () => {
        closed += 1
        await driver.close()
      },
    }))
    await expect(openHost([member, other])).rejects.toEqual(code('RESOURCE_BUSY'))
    expect(closed).toBe(1)
  })
})

describe('names and uuids', () => {
  test('a name that another driver has is refused', async () => {
    await using host = await openHost([testMember('one'), testMember('two')])
    await host.domains.define(domainXml('one', 'a'))
    await expect(host.domains.define(domainXml('two', 'a'))).rejects.toEqual(code('DOM_EXIST'))
    await expect(host.domains.create(domainXml('two', 'a'))).rejects.toEqual(code('DOM_EXIST'))
  })

  test('a uuid that another driver has is refused', async () => {
    await using host = await openHost([testMember('one'), testMember('two')])
    const { uuid } = await host.domains.define(domainXml('one', 'a'))
    await expect(host.domains.define(domainXml('two', 'b', uuid))).rejects.toEqual(code('DOM_EXIST'))
  })

  test('of two drivers asked for the same name at the same time one alone gets it', async () => {
    await using host = await openHost([testMember('one'), testMember('two')])
    const outcomes = await Promise.allSettled([
      host.domains.define(domainXml('one', 'a')),
      host.domains.define(domainXml('two', 'a')),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    await expect(host.domains.list()).resolves.toHaveLength(1)
  })

  test('who waits for a namesake may give up, and then nothing has been done', async () => {
    const slow = slowMember('one')
    await using host = await openHost([slow, testMember('two')])
    const first = host.domains.define(domainXml('one', 'a'))
    const giveUp = new AbortController()
    const second = host.domains.define(domainXml('two', 'a'), { signal: giveUp.signal })
    giveUp.abort()
    await expect(second).rejects.toEqual(code('OPERATION_ABORTED'))
    slow.letGo()
    await first
    await expect(host.domains.list()).resolves.toHaveLength(1)
  })

  test('who waits for a namesake too long is refused', async () => {
    const clock = new FakeClock()
    const slow = slowMember('one')
    await using host = await openHost([slow, testMember('two')], { clock })
    const first = host.domains.define(domainXml('one', 'a'))
    const refused = expect(host.domains.create(domainXml('two', 'a'))).rejects.toMatchObject({
      code: 'OPERATION_TIMEOUT',
      message: "'create' of 'a' waited 30 s for 'define' of 'a', which is still under way",
    })
    await clock.advance(30_000)
    await refused
    slow.letGo()
    await expect(first).resolves.toMatchObject({ name: 'a' })
  })

  test('a domain may be redefined by its own driver', async () => {
    await using host = await openHost([testMember('one'), testMember('two')])
    const { uuid } = await host.domains.define(domainXml('one', 'a'))
    await expect(host.domains.define(domainXml('one', 'a', uuid))).resolves.toMatchObject({ uuid })
  })

  test('a domain that was undefined may come back with another driver', async () => {
    await using host = await openHost([testMember('one'), testMember('two')])
    const first = await host.domains.define(domainXml('one', 'a'))
    await first.undefine()
    const second = await host.domains.define(domainXml('two', 'a', first.uuid))
    await expect(first.state()).resolves.toMatchObject({ state: 'shutoff' })
    await second.start()
    await expect(first.isActive()).resolves.toBe(true)
  })
})

describe('a call', () => {
  test('reaches the driver that has the domain', async () => {
    const [one, two] = [testMember('one'), testMember('two')]
    await using host = await openHost([one, two])
    const domain = await host.domains.define(domainXml('two', 'b'))
    await domain.setAutostart(true)
    await domain.start({ paused: true })
    await expect(two.opened[0]?.getAllDomainStats()).resolves.toMatchObject([
      { domain: { name: 'b' }, autostart: true, state: { state: 'paused' } },
    ])
    await domain.resume()
    await domain.destroy()
    await domain.undefine()
    await expect(host.domains.list()).resolves.toEqual([])
  })

  test('for a domain that there is not is NO_DOMAIN', async () => {
    await using host = await openHost([testMember('one'), testMember('two')])
    const domain = await host.domains.define(domainXml('one', 'a'))
    await domain.undefine()
    await expect(domain.start()).rejects.toEqual(code('NO_DOMAIN'))
    await expect(host.domains.lookupByName('a')).rejects.toMatchObject({
      code: 'NO_DOMAIN',
      message: expect.stringContaining("'a'"),
    })
    await expect(host.domains.lookupByUuid(randomUUID())).rejects.toEqual(code('NO_DOMAIN'))
  })

  test('finds a domain that another connection has made', async () => {
    const member = testMember('one')
    await using host = await openHost([member])
    const ref = await member.opened[0]?.defineDomain(domainXml('one', 'a'))
    if (!ref) throw new Error('the member is not open')
    await expect(host.driver.startDomain(ref)).resolves.toMatchObject({ name: 'a', id: expect.any(Number) })
  })

  test('that was cancelled before has done nothing', async () => {
    await using host = await openHost([testMember('one')])
    const signal = AbortSignal.abort()
    await expect(host.domains.define(domainXml('one', 'a'), { signal })).rejects.toEqual(
      code('OPERATION_ABORTED'),
    )
    await expect(host.domains.list(undefined, { signal })).rejects.toEqual(code('OPERATION_ABORTED'))
    await expect(host.domains.list()).resolves.toEqual([])
  })
})

describe('a role', () => {
  const withoutConsole = () => testMember('two', () => ({ console: undefined }) as object)

  test('is there where any driver has it', async () => {
    await using host = await openHost([testMember('one'), withoutConsole()])
    expect(host.driver.console).toBeDefined()
  })

  test('is absent where no driver has it', async () => {
    await using host = await openHost([withoutConsole()])
    expect(host.driver.console).toBeUndefined()
    expect(host.driver.reset).toBeDefined()
  })

  test('works for the domains of drivers that have it', async () => {
    await using host = await openHost([testMember('one'), withoutConsole()])
    const domain = await host.domains.create(domainXml('one', 'a'))
    const stream = await domain.openConsole()
    stream.destroy()
    const seen: DriverEvent['type'][] = []
    domain.subscribe(({ type }) => seen.push(type))
    await domain.reset()
    expect(seen).toEqual(['reboot'])
  })

  test('refuses the domains of drivers that lack it', async () => {
    await using host = await openHost([testMember('one'), withoutConsole()])
    const domain = await host.domains.create(domainXml('two', 'b'))
    await expect(domain.openConsole()).rejects.toEqual(code('NO_SUPPORT'))
  })
})

test('of domains whose driver cannot make snapshots or keep states, there are none', async () => {
  const without = testMember('two', () => ({ snapshots: undefined, savedState: undefined }) as object)
  await using host = await openHost([testMember('one'), without])
  const domain = await host.driver.createDomain(domainXml('two', 'b'))
  await expect(host.driver.snapshots?.listSnapshots(domain)).resolves.toEqual([])
  await expect(host.driver.savedState?.hasManagedSave(domain)).resolves.toBe(false)
})

describe('closing', () => {
  test('closes every driver, and leaves guests alone', async () => {
    const [one, two] = [testMember('one'), testMember('two')]
    const first = await openHost([one, two])
    await first.domains.create(domainXml('one', 'a'))
    await first.close()
    await using again = await openHost([one, two])
    await expect(again.domains.list({ active: true })).resolves.toHaveLength(1)
  })
})

describe('the provider', () => {
  const provider = hostProvider({ members: [testMember('one')], documents })

  test('can be used everywhere', async () => {
    await expect(provider.probe()).resolves.toBeUndefined()
  })

  test.each([
    ['covirt:///nowhere', /no instance '\/nowhere'/],
    ['covirt:///system?rot=/x', /no parameter 'rot'/],
    ['covirt://elsewhere/system', /another host/],
    ['covirt+ssh:///system', /a transport/],
    ['other:///system', /scheme is 'other'/],
  ])('refuses %s, which means nothing to it', async (uri, message) => {
    await expect(provider.open(parseConnectUri(uri))).rejects.toMatchObject({
      code: 'INVALID_ARG',
      message: expect.stringMatching(message),
    })
  })

  test('gives a connection its canonical URI', async () => {
    const driver = await provider.open(parseConnectUri('covirt:///?root=/a'))
    expect(driver.uri).toBe('covirt:///system?root=/a')
    await driver.close()
  })
})

describe('calls for one domain', () => {
  test('reach its driver in the order in which they were made', async () => {
    const order: string[] = []
    const member = testMember('one', (driver) => ({
      startDomain: (...args) => {
        order.push('start')
        return driver.startDomain(...args)
      },
      suspendDomain: (...args) => {
        order.push('suspend')
        return driver.suspendDomain(...args)
      },
      destroyDomain: (...args) => {
        order.push('destroy')
        return driver.destroyDomain(...args)
      },
    }))
    await using host = await openHost([member, testMember('two')])
    const domain = await host.domains.define(domainXml('one', 'a'))
    const signal = new AbortController().signal
    await Promise.allSettled([domain.start({ signal }), domain.suspend(), domain.destroy({ signal })])
    expect(order).toEqual(['start', 'suspend', 'destroy'])
  })

  test('that have not reached it when the connection is closed are aborted', async () => {
    const member = testMember('one')
    const host = await openHost([member])
    const domain = await host.domains.define(domainXml('one', 'a'))
    const starting = domain.start()
    const refused = expect(starting).rejects.toEqual(code('OPERATION_ABORTED'))
    await host.close()
    await refused
    await using again = await openHost([member])
    await expect(again.domains.list({ active: true })).resolves.toEqual([])
  })
})
