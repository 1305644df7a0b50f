import { FakeClock, parseConnectUri } from '@covirt/core'
import type { SimulationOptions, SimulationReport } from '@covirt/lifecycle'

let worlds = 0

/**
 * Brings simulated guests up and down by their life-cycle metadata, as `covirtd` does when the host boots and powers
 * off, in virtual time: to see what plans do before they are needed. Deterministic by seed.
 *
 * ```ts
 * const { up, down } = await simulate({ domains: [dbXml, webXml], faults: [{ domain: 'db', kind: 'fail-start' }] })
 * ```
 */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const [{ simulate: run }, { testProvider }] = await Promise.all([
    import('@covirt/lifecycle'),
    import('@covirt/driver-test'),
  ])
  const clock = new FakeClock(1_700_000_000_000)
  worlds += 1
  const driver = await testProvider.open(parseConnectUri(`test:///empty?root=simulation-${worlds}`), {
    clock,
  })
  try {
    return await run({ driver, clock }, options)
  } finally {
    for (const domain of await driver.listDomains({ active: true })) await driver.destroyDomain(domain)
    for (const domain of await driver.listDomains())
      await driver.undefineDomain(domain, { managedSave: true })
    await driver.close()
  }
}
