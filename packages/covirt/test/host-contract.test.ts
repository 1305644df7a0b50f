import { type DriverFixture, type DriverWorld, describeDriver } from '@covirt/contract'
import { Connection, type Driver, type DriverProvider, parseConnectUri } from '@covirt/core'
import { hostProvider } from '@covirt/driver-host'
import { testProvider } from '@covirt/driver-test'
import { canRunLinuxGuest, canRunQemu, describeWhen } from '../../../test/fixtures/index.js'
import { QemuWorld } from '../../driver-qemu/test/qemu-world.js'
import { testFixture } from '../../driver-test/test/test-fixture.js'
import { hostDocuments } from '../src/host-documents.js'
import { open } from '../src/index.js'

const hostUri = parseConnectUri('covirt:///system')

/** A driver's world, opened as one member of a host connection that has another, empty one. */
function asMember(world: DriverWorld): DriverWorld {
  return withOpen(world, async (options = {}) => {
    const { driver } = await world.open(options)
    const members = [
      { provider: providerOf('one', async () => driver), domainTypes: [driver.type.toLowerCase()] },
      {
        provider: providerOf('other', () => testProvider.open(parseConnectUri('test:///empty?root=other'))),
        domainTypes: ['other'],
      },
    ]
    return new Connection(await hostProvider({ members, documents: hostDocuments }).open(hostUri, options))
  })
}

/** A driver's world on a root, opened by `covirt:///system` with whatever else this machine has. */
function asHost(world: DriverWorld & { readonly uri: string }): DriverWorld {
  const { query } = parseConnectUri(world.uri)
  return withOpen(world, (options) => open(`covirt:///system?root=${query.root}`, options))
}

/** The same world, but opened in another way. */
function withOpen(world: DriverWorld, openWorld: DriverWorld['open']): DriverWorld {
  return new Proxy(world, {
    get: (target, key) => {
      if (key === 'open') return openWorld
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function providerOf(scheme: string, openDriver: () => Promise<Driver>): DriverProvider {
  return { schemes: [scheme], probe: async () => undefined, open: openDriver }
}

const simulated = testFixture({ virtual: true })
describeDriver('the test driver through a host connection', {
  ...simulated,
  type: 'COVIRT',
  world: async () => asMember(await simulated.world()),
})

describeWhen(canRunQemu(), 'real QEMU, through covirt:///system', () => {
  const noAgent = canRunLinuxGuest()
  const fixture: DriverFixture = {
    type: 'COVIRT',
    roles: ['console', 'reset', 'guestAgent'],
    shutdownModes: ['acpi', 'agent'],
    leftOut: { advance: 'time is real here', ...(noAgent !== undefined && { agent: noAgent }) },
    world: async () => asHost(await QemuWorld.make('qemu', { agent: noAgent === undefined })),
  }
  describeDriver('the host driver', fixture)
})
