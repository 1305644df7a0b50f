import { type Driver, FakeClock, parseConnectUri, silentLogger } from '@covirt/core'
import { type TestDriver, testProvider } from '@covirt/driver-test'
import type { HostConditions, ProbeIo, RunnerParts } from '@covirt/lifecycle'
import { MemoryJournal } from '@covirt/lifecycle'
import { domainXml } from './make-domains.js'

let worlds = 0

/** A test driver on virtual time with nothing in it. */
export async function testWorld(): Promise<{
  readonly driver: TestDriver
  readonly clock: FakeClock
  [Symbol.asyncDispose](): Promise<void>
}> {
  const clock = new FakeClock(1_700_000_000_000)
  worlds += 1
  const uri = parseConnectUri(`test:///empty?root=lifecycle-${process.pid}-${worlds}`)
  const driver = await testProvider.open(uri, { clock })
  return { driver, clock, [Symbol.asyncDispose]: () => driver.close() }
}

/** Defines domains that are marked to be started. */
export async function define(driver: TestDriver, domains: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, lifecycle] of Object.entries(domains)) {
    await driver.setAutostart(await driver.defineDomain(domainXml(name, lifecycle)), true)
  }
}

/** Probes that all succeed at once. */
export const easyProbes: ProbeIo = {
  connect: async () => {},
  httpStatus: async () => 200,
  addresses: async ({ name }) => [name],
  initListens: async () => true,
  notified: async () => {},
}

/** A host that has everything. */
export const goodHost: HostConditions = {
  mount: async () => true,
  network: async () => true,
  pool: async () => true,
}

/** What a runner works with in tests. */
export function runnerParts(
  world: { readonly driver: TestDriver; readonly clock: FakeClock },
  changes: Partial<RunnerParts> = {},
): RunnerParts & { readonly journal: MemoryJournal } {
  return {
    driver: world.driver,
    clock: world.clock,
    logger: silentLogger,
    journal: new MemoryJournal(),
    actor: 'boot',
    boot: 'boot-1',
    probeIo: easyProbes,
    conditions: goodHost,
    ...changes,
  } as RunnerParts & { readonly journal: MemoryJournal }
}

/** The driver with something of it replaced. */
export function changed(driver: TestDriver, changes: Partial<Driver>): Driver {
  return new Proxy<Driver>(driver, {
    get: (target, key) => {
      if (key in changes) return Reflect.get(changes, key)
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** Lets virtual time pass until `run` has settled. */
export async function drive<T>(clock: FakeClock, run: Promise<T>, stepMs = 1000): Promise<T> {
  let settled = false
  run.then(
    () => (settled = true),
    () => (settled = true),
  )
  while (!settled) await clock.advance(stepMs)
  return run
}
