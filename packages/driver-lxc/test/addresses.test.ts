import { afterAll, expect, test } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { LxcWorld, removeRootfs } from './lxc-fixture.js'

afterAll(removeRootfs)

describeWhen(canRunLxc(), 'the addresses of a container', () => {
  test('are those that its interfaces have, of both families, with their prefixes', async () => {
    await using world = await LxcWorld.make()
    await using connection = await world.open()
    const domain = await connection.domains.create(world.domainXml({ name: world.uniqueName('addr') }))
    await world.ready(domain)
    const script = 'ip link set lo up; ip addr add 198.51.100.7/29 dev lo; ip addr add 2001:db8::7/64 dev lo'
    const { exit } = await domain.exec(['/bin/sh', '-c', script])
    expect(await exit).toEqual({ code: 0 })
    expect(await domain.listInterfaceAddresses()).toEqual([
      {
        name: 'lo',
        mac: '00:00:00:00:00:00',
        addresses: expect.arrayContaining([
          { family: 'ipv4', address: '127.0.0.1', prefix: 8 },
          { family: 'ipv4', address: '198.51.100.7', prefix: 29 },
          { family: 'ipv6', address: '::1', prefix: 128 },
          { family: 'ipv6', address: '2001:db8::7', prefix: 64 },
        ]),
      },
    ])
    await domain.destroy()
  })
})
