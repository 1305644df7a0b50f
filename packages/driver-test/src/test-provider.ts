import {
  type ConnectUri,
  type DriverProvider,
  formatConnectUri,
  silentLogger,
  systemClock,
  throwIfAborted,
  VirError,
} from '@covirt/core'
import { SharedResources } from '@covirt/local'
import { openTestDriver, type TestDriver } from './test-driver.js'
import { testWorld } from './test-world.js'

/** What each instance begins with, as definitions of domains that run. */
const furniture: ReadonlyMap<string, readonly string[]> = new Map([
  [
    '/default',
    [
      `<domain type='test'>
  <name>test</name>
  <uuid>6695eb01-f6a4-8304-79aa-97f2502e193f</uuid>
  <memory unit='KiB'>8388608</memory>
  <currentMemory unit='KiB'>2097152</currentMemory>
  <vcpu>2</vcpu>
  <os>
    <type>hvm</type>
  </os>
</domain>
`,
    ],
  ],
  ['/empty', []],
])

const drivers = new SharedResources<TestDriver>()

/**
 * The provider of `test:///default`, which begins with one running persistent domain named `test`, as
 * libvirt's does, and of `test:///empty`, which begins with none. Domains and guests live in this process:
 * they outlive the connection and are found by the next. `?root=NAME` names a world of its own, so that
 * tests do not meet. The clock is that of whoever opens a world that nobody has open.
 */
export const testProvider: DriverProvider<TestDriver> = {
  schemes: ['test'],
  probe: async () => undefined,
  open: async (uri, { clock = systemClock, logger = silentLogger, signal } = {}) => {
    throwIfAborted(signal)
    const instance = checkUri(uri)
    const canonical = formatConnectUri(instance)
    return drivers.acquire(canonical, async () => {
      const world = testWorld(canonical)
      const driver = await openTestDriver(world, {
        uri: canonical,
        clock,
        logger,
        release: (dispose) => drivers.release(canonical, dispose),
      })
      if (!world.furnished) await furnish(driver, instance)
      world.furnished = true
      return driver
    })
  },
}

async function furnish(driver: TestDriver, { path }: ConnectUri): Promise<void> {
  for (const xml of furniture.get(path) ?? []) await driver.startDomain(await driver.defineDomain(xml))
}

function checkUri(uri: ConnectUri): ConnectUri {
  const refuse = (why: string): never => {
    throw new VirError('INVALID_ARG', `'${formatConnectUri(uri)}' is not for the test driver: ${why}`, {
      domain: 'URI',
      hint: "Use 'test:///default', 'test:///empty', or one of them with '?root=NAME'",
    })
  }
  if (uri.scheme !== 'test') refuse(`its scheme is '${uri.scheme}'`)
  if (uri.transport !== undefined || uri.host !== undefined) refuse('it names another host or a transport')
  if (!furniture.has(uri.path) && uri.path !== '/') refuse(`it has no instance '${uri.path}'`)
  for (const key of Object.keys(uri.query)) if (key !== 'root') refuse(`it has no parameter '${key}'`)
  return uri.path === '/' ? { ...uri, path: '/default' } : uri
}
