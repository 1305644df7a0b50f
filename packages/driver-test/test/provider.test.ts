import { Connection, parseConnectUri } from '@covirt/core'
import { expect, test } from '@jest/globals'
import { testProvider } from '../src/index.js'

const open = async (uri: string) => new Connection(await testProvider.open(parseConnectUri(uri)))

test('it can be used everywhere', async () => {
  expect(await testProvider.probe()).toBeUndefined()
})

test('test:///default begins with one running persistent domain named test', async () => {
  await using connection = await open('test:///default?root=provider-a')
  const stats = await connection.domains.stats()
  expect(stats).toEqual([
    expect.objectContaining({
      domain: { uuid: '6695eb01-f6a4-8304-79aa-97f2502e193f', name: 'test', id: 1 },
      state: { state: 'running', reason: 'booted' },
      persistent: true,
      autostart: false,
    }),
  ])
})

test('test:/// is test:///default', async () => {
  await using connection = await open('test:///')
  expect(connection.uri).toBe('test:///default')
})

test('a domain that was removed from test:///default does not come back', async () => {
  const first = await open('test:///default?root=provider-b')
  const domain = await first.domains.lookupByName('test')
  await domain.destroy()
  await domain.undefine()
  await first.close()
  await using second = await open('test:///default?root=provider-b')
  expect(await second.domains.list()).toEqual([])
})

test('worlds of different names, and of different instances, do not meet', async () => {
  await using one = await open('test:///empty?root=provider-c')
  await using two = await open('test:///empty?root=provider-d')
  await using three = await open('test:///default?root=provider-c')
  await one.domains.create(`<domain type='test'><name>mine</name></domain>`)
  expect(await two.domains.list()).toEqual([])
  expect((await three.domains.list()).map(({ name }) => name)).toEqual(['test'])
})

test('the node is the same on every host', async () => {
  await using connection = await open('test:///empty?root=provider-e')
  expect(await connection.nodeInfo()).toMatchObject({ model: 'i686', cpus: 16, memoryKib: 3_145_728 })
})

test.each(['test:///nowhere', 'test://host/default', 'test+ssh:///default', 'test:///default?no=such'])(
  '%s is an invalid argument',
  async (uri) => {
    await expect(open(uri)).rejects.toMatchObject({ code: 'INVALID_ARG' })
  },
)

test('a definition gets what it leaves open, and nothing is refused for its devices', async () => {
  await using connection = await open('test:///empty?root=provider-f')
  const devices = `<devices><disk type='file'><source file='/nowhere'/><target dev='vda'/></disk></devices>`
  const domain = await connection.domains.define(`<domain type='test'><name>bare</name>${devices}</domain>`)
  expect(await domain.info()).toMatchObject({ maxMemoryKib: 1_048_576, vcpus: 1 })
  expect(await domain.xml()).toMatch(/<type>hvm<\/type>[\s\S]*<console type=['"]pty['"]/)
})

test('an OS type that is neither a machine nor a container is refused', async () => {
  await using connection = await open('test:///empty?root=provider-g')
  const xml = `<domain type='test'><name>odd</name><os><type>uml</type></os></domain>`
  await expect(connection.domains.define(xml)).rejects.toMatchObject({ code: 'CONFIG_UNSUPPORTED' })
})
