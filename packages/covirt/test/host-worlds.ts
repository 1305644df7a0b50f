import type { DriverWorld } from '@covirt/contract'
import { Connection, type Driver, type DriverProvider, parseConnectUri } from '@covirt/core'
import { hostProvider } from '@covirt/driver-host'
import { testProvider } from '@covirt/driver-test'
import { hostDocuments } from '@covirt/xml'
import { open } from '../src/index.js'

const hostUri = parseConnectUri('covirt:///system')

/** A driver's world, opened as one member of a host connection that has another, empty one. */
export function asMember(world: DriverWorld): DriverWorld {
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

/** A driver's world on the root `path`, opened as `covirt:///system`; with all drivers unless some are given. */
export function asHost(world: DriverWorld, path: string, providers?: readonly DriverProvider[]): DriverWorld {
  return withOpen(world, (options) => open(`covirt:///system?root=${path}`, { ...options, providers }))
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
