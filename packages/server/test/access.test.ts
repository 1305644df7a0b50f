import { type AddressesRole, type Driver, VirError } from '@covirt/core'
import { decodeRoleValue, type Procedure, type ProcedureName, procedures } from '@covirt/protocol'
import { describe, expect, test } from '@jest/globals'
import { type AccessRole, accessRoles, roleNeeded } from '../src/access/access-policy.js'
import type { Grant, Service } from '../src/index.js'
import { domainXml, serverScene } from './support/scene.js'
import type { WireClient } from './support/wire-client.js'

const all = Object.entries(procedures) as readonly (readonly [ProcedureName, Procedure])[]

async function grantedScene(grant: Grant) {
  const scene = await serverScene({ policy: () => grant })
  const client = await scene.open()
  return { ...scene, client }
}

/** The code with which a call with these bytes is refused. */
async function codeOf(client: WireClient, name: ProcedureName, args: unknown): Promise<string> {
  return client.call(name, args as never).then(
    () => 'done',
    ({ code }: { code: string }) => code,
  )
}

describe.each(accessRoles)('whoever has the role %s', (role: AccessRole) => {
  test('is refused all that needs more, whatever the arguments', async () => {
    await using scene = await grantedScene({ role })
    const { domain } = await scene.client.call('domainLookupByName', { name: 'test' })
    const more = all.filter(
      ([name, procedure]) => accessRoles.indexOf(roleNeeded(name, procedure)) > accessRoles.indexOf(role),
    )
    const codes = new Map<string, string>()
    for (const [name] of more) {
      const args = argumentsFor(name, domain)
      if (args) codes.set(name, await codeOf(scene.client, name, args))
    }
    const allowed = [...codes].filter(([, code]) => code !== 'ACCESS_DENIED' && code !== 'NO_SUPPORT')
    expect(allowed).toEqual([])
    expect(await scene.connection.driver.getDomainState(domain)).toMatchObject({ state: 'running' })
  })
})

test('to read includes to ask what guests can have', async () => {
  await using scene = await grantedScene({ role: 'read' })
  expect(await codeOf(scene.client, 'connectGetDomainCapabilities', { flags: 0 })).toBe('done')
})

test('to operate includes to suspend, and not to define', async () => {
  await using scene = await grantedScene({ role: 'operate' })
  const { domain } = await scene.client.call('domainLookupByName', { name: 'test' })
  expect(await codeOf(scene.client, 'domainSuspend', { domain })).toBe('done')
  expect(await codeOf(scene.client, 'domainDefineXml', { xml: domainXml('x') })).toBe('ACCESS_DENIED')
})

test('to ask the agent of a guest takes more than to read, whichever source of addresses is named', async () => {
  await using scene = await grantedScene({ role: 'read' })
  const { domain } = await scene.client.call('domainLookupByName', { name: 'test' })
  const asked: unknown[] = []
  const driver = scene.connection.driver as Driver as { addresses: AddressesRole }
  driver.addresses = {
    listInterfaceAddresses: async (_domain, { source } = {}) => {
      asked.push(source)
      if (source === undefined || source === 'agent') return []
      throw new VirError('ARGUMENT_UNSUPPORTED', 'The agent alone is asked')
    },
  }
  expect(await codeOf(scene.client, 'domainInterfaceAddresses', { domain, source: 0, flags: 0 })).toBe(
    'ACCESS_DENIED',
  )
  expect(asked).toEqual(['lease', 'guest'])
})

test('a domain that is not granted looks like one that there is not', async () => {
  await using scene = await grantedScene({ role: 'admin', mayAccess: ({ name }) => name !== 'test' })
  const { driver } = scene.connection
  const lookupDomain = driver.lookupDomain.bind(driver)
  driver.lookupDomain = (key, options) =>
    lookupDomain(key, options).catch(() => {
      throw new VirError('NO_DOMAIN', 'There is none', { hint: 'Look at the list' })
    })
  const errorOf = async (name: string) => {
    const error: unknown = await scene.client.call('domainLookupByName', { name }).catch((each) => each)
    const { code, domain, message, hint } = error as VirError
    return { code, domain, hint, message: message.replace(name, 'NAME') }
  }
  expect(await errorOf('test')).toEqual(await errorOf('none'))
})

test('secrets in documents are for administrators alone', async () => {
  const password = "<devices><graphics type='vnc' passwd='hush'/></devices>"
  await using scene = await serverScene({
    policy: ({ name }) => ({ role: name === 'root' ? 'admin' : 'operate' }),
  })
  const admin = await scene.open()
  const { domain } = await admin.call('domainDefineXml', { xml: domainXml('secret', password) })
  const operator = await scene.open({}, { name: 'ops', transport: 'unix' })
  expect((await admin.call('domainGetXmlDesc', { domain, flags: 1 })).xml).toMatch('hush')
  expect((await operator.call('domainGetXmlDesc', { domain, flags: 0 })).xml).not.toMatch('hush')
  expect(await codeOf(operator, 'domainGetXmlDesc', { domain, flags: 1 })).toBe('ACCESS_DENIED')
})

describe('a grant for some domains', () => {
  const mine = async () => {
    const scene = await serverScene({
      policy: ({ name }) =>
        name === 'root'
          ? { role: 'admin' }
          : { role: 'admin', mayAccess: (domain) => domain.name.startsWith('my-') },
    })
    const root = await scene.open()
    const { domain: other } = await root.call('domainLookupByName', { name: 'test' })
    const { domain } = await root.call('domainDefineXml', { xml: domainXml('my-own') })
    const client = await scene.open({}, { name: 'ann', transport: 'unix' })
    return { scene, client, root, domain, other, [Symbol.asyncDispose]: scene[Symbol.asyncDispose] }
  }

  test('leaves the others out of lists and statistics', async () => {
    await using scene = await mine()
    const { client } = scene
    const { domains } = await client.call('connectListAllDomains', { needResults: true, flags: 0 })
    expect(domains.map(({ name }) => name)).toEqual(['my-own'])
    expect(await client.call('connectNumOfDomains', {})).toEqual({ count: 0 })
    const { records } = await client.call('connectGetAllDomainStats', { domains: [], stats: 0, flags: 0 })
    expect(records.map((record) => record.domain.name)).toEqual(['my-own'])
  })

  test('makes the others unknown to every call, also by a name that is not theirs', async () => {
    await using scene = await mine()
    const { client, other } = scene
    expect(await codeOf(client, 'domainLookupByName', { name: 'test' })).toBe('NO_DOMAIN')
    expect(await codeOf(client, 'domainDestroy', { domain: { ...other, name: 'my-own' } })).toBe('NO_DOMAIN')
    expect(await codeOf(client, 'domainOpenConsole', { domain: other, flags: 0 })).toBe('NO_DOMAIN')
    expect(
      await codeOf(client, 'domainListAllSnapshots', { domain: other, needResults: true, flags: 0 }),
    ).toBe('NO_DOMAIN')
  })

  test('lets nobody define, create or rename a domain beyond it, nor restore one from a file', async () => {
    await using scene = await mine()
    const { client, domain } = scene
    const xml = domainXml('other')
    expect(await codeOf(client, 'domainDefineXml', { xml })).toBe('ACCESS_DENIED')
    expect(await codeOf(client, 'domainCreateXml', { xml, flags: 0 })).toBe('ACCESS_DENIED')
    expect(await codeOf(client, 'domainRename', { domain, newName: 'other', flags: 0 })).toBe('ACCESS_DENIED')
    expect(await codeOf(client, 'domainRestore', { path: '/tmp/x' })).toBe('ACCESS_DENIED')
  })

  test('does not tell whose a uuid is to who takes it for a domain of his own', async () => {
    await using scene = await mine()
    const { client, other } = scene
    const xml = domainXml('my-other', `<uuid>${other.uuid}</uuid>`)
    for (const attempt of [
      client.call('domainDefineXml', { xml }),
      client.call('domainCreateXml', { xml, flags: 0 }),
    ])
      await expect(attempt).rejects.toMatchObject({
        code: 'ACCESS_DENIED',
        message: expect.not.stringContaining("'test'"),
      })
  })

  test('tells events of its domains alone', async () => {
    await using scene = await mine()
    const { client, root, domain, other } = scene
    await client.call('connectDomainEventCallbackRegisterAny', { eventId: 0 })
    await root.call('domainSuspend', { domain: other })
    await root.call('domainCreate', { domain })
    await client.until(() => client.messages.length > 0)
    expect(client.messages).toHaveLength(1)
  })
})

describe('a service', () => {
  const services = {
    plans: {
      show: { role: 'read', call: async (args) => ({ args, at: 5n }) },
      change: { role: 'admin', call: async () => 'changed' },
      end: { role: 'admin', whileDrained: true, call: async () => 'ended' },
    },
  } as const satisfies Record<string, Service>
  const call = (client: WireClient, method: string) =>
    client.call('covirtCallService', { service: 'plans', method, args: '[1]' })

  test("is called by covirt's own clients, and told of", async () => {
    await using scene = await serverScene({ services })
    const client = await scene.open()
    expect((await client.call('covirtDescribe', {})).services).toEqual(['plans'])
    const { result } = await call(client, 'show')
    expect(decodeRoleValue(result)).toEqual({ args: [1], at: 5n })
    expect(await call(client, 'change')).toEqual({ result: '"changed"' })
  })

  test('lets nobody do what needs a higher role, nor what it does not have', async () => {
    await using scene = await serverScene({ services, policy: () => ({ role: 'operate' }) })
    const client = await scene.open()
    await expect(call(client, 'change')).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
    await expect(call(client, 'constructor')).rejects.toMatchObject({ code: 'NO_SUPPORT' })
  })

  test('does while the server is drained what it says that it does then, for whom it may', async () => {
    await using scene = await serverScene({ services })
    const client = await scene.open()
    scene.server.drain('the host is going down')
    await expect(call(client, 'change')).rejects.toThrow('the host is going down')
    expect(await call(client, 'end')).toEqual({ result: '"ended"' })
    await using other = await serverScene({ services, policy: () => ({ role: 'operate' }) })
    await expect(call(await other.open(), 'end')).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
  })

  test('is not there for a grant for some domains', async () => {
    await using scene = await serverScene({
      services,
      policy: () => ({ role: 'admin', mayAccess: () => true }),
    })
    const client = await scene.open()
    await expect(call(client, 'show')).rejects.toMatchObject({ code: 'NO_SUPPORT' })
  })
})

/** Arguments that would do harm if they were let through. */
function argumentsFor(name: ProcedureName, domain: { uuid: string; name: string }): object | undefined {
  const flags = 0
  switch (name) {
    case 'domainDefineXml':
      return { xml: domainXml('new') }
    case 'domainCreateXml':
      return { xml: domainXml('new'), flags }
    case 'domainSetAutostart':
      return { domain, autostart: true }
    case 'domainRename':
      return { domain, newName: 'new', flags }
    case 'domainCreate':
    case 'domainDestroy':
    case 'domainShutdown':
    case 'domainSuspend':
    case 'domainResume':
    case 'domainUndefine':
      return { domain }
    case 'domainUndefineFlags':
    case 'domainDestroyFlags':
    case 'domainShutdownFlags':
    case 'domainReboot':
    case 'domainReset':
    case 'domainCreateWithFlags':
    case 'domainManagedSave':
    case 'domainManagedSaveRemove':
    case 'domainOpenConsole':
      return { domain, flags }
    case 'domainSnapshotCreateXml':
      return { domain, xml: '<domainsnapshot/>', flags }
    case 'domainSave':
      return { domain, path: '/tmp/x' }
    case 'qemuAgentCommand':
      return { domain, command: '{}', timeoutS: 1, flags }
    case 'covirtExec':
      return { domain, argv: ['cat'], env: [] }
    case 'covirtCallRole':
      return { role: 'snapshots', method: 'deleteSnapshot', args: JSON.stringify([domain, 'x', {}]) }
    default:
      return undefined
  }
}
