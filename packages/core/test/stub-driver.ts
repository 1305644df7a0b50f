import {
  type DomainEvent,
  type DomainRef,
  type DomainState,
  type Driver,
  EventHub,
  silentLogger,
  VirError,
} from '../src/index.js'

/** A driver of one domain whose state and events the test decides. */
export function stubDriver(over: Partial<Driver> = {}) {
  const domain: DomainRef = { uuid: '00000000-0000-4000-8000-000000000001', name: 'one', id: 1 }
  const hub = new EventHub<DomainEvent>(silentLogger)
  const world = { state: { state: 'running', reason: 'booted' } as DomainState | undefined, closed: 0 }
  const refuse = async () => {
    throw new VirError('NO_DOMAIN', 'gone')
  }
  const driver = {
    type: 'STUB',
    uri: 'stub:///',
    lookupDomain: async () => domain,
    listDomains: async () => [domain],
    getDomainState: async () => world.state ?? (await refuse()),
    subscribe: (listener) => hub.subscribe(listener),
    close: async () => {
      world.closed += 1
    },
    ...over,
  } as Driver
  return { driver, domain, hub, world }
}
