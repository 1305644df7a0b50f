import { randomUUID } from 'node:crypto'
import { Connection, type DriverProvider, type OpenOptions, parseConnectUri } from '@covirt/core'
import { type TestDriver, testProvider } from '@covirt/driver-test'
import { type HostDocuments, type HostDriver, type HostMember, hostProvider } from '../src/index.js'

/** Reads the documents of {@link domainXml}: the title says which member a domain is for. */
export const documents: HostDocuments = {
  identify: (xml) => ({
    type: /<title>(.*)<\/title>/.exec(xml)?.[1],
    name: /<name>(.*)<\/name>/.exec(xml)?.[1],
    uuid: /<uuid>(.*)<\/uuid>/.exec(xml)?.[1],
  }),
  mergeCapabilities: (texts) => `${texts.length} documents`,
  domainCapabilitiesOf: (text) => `what guests can have by ${text}`,
}

/** A test domain for the member `type`. */
export function domainXml(type: string, name: string, uuid?: string): string {
  const identity = uuid === undefined ? '' : `<uuid>${uuid}</uuid>`
  return `<domain type='test'><name>${name}</name>${identity}<title>${type}</title><memory>1024</memory><os><type>hvm</type></os></domain>`
}

/** A member that is a test driver of its own, empty at first. */
export function testMember(
  scheme: string,
  change: (driver: TestDriver) => Partial<TestDriver> = () => ({}),
): HostMember & { readonly opened: TestDriver[] } {
  const world = randomUUID()
  const opened: TestDriver[] = []
  const provider: DriverProvider = {
    schemes: [scheme],
    probe: async () => undefined,
    open: async (_uri, options) => {
      const driver = await testProvider.open(parseConnectUri(`test:///empty?root=${world}`), options)
      opened.push(driver)
      const changes: object = change(driver)
      return new Proxy(driver, {
        get: (target, key) => {
          const value: unknown = Reflect.get(key in changes ? changes : target, key)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    },
  }
  return { provider, domainTypes: [scheme], opened }
}

/** A member whose definitions are stored no earlier than it is let go. */
export function slowMember(scheme: string): HostMember & { letGo(): void } {
  let letGo = () => {}
  const free = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const member = testMember(scheme, (driver) => ({
    defineDomain: async (...args) => {
      await free
      return driver.defineDomain(...args)
    },
  }))
  return { ...member, letGo }
}

/** A member that cannot be used, for `reason`. */
export function missingMember(scheme: string, reason: string): HostMember {
  const open = () => Promise.reject(new Error('must not be opened'))
  return { provider: { schemes: [scheme], probe: async () => reason, open }, domainTypes: [scheme] }
}

/** A connection to `covirt:///system` over `members`. */
export async function openHost(
  members: readonly HostMember[],
  options?: OpenOptions,
): Promise<Connection<HostDriver>> {
  const provider = hostProvider({ members, documents })
  return new Connection(await provider.open(parseConnectUri('covirt:///system'), options))
}
