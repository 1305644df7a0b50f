import { type CallOptions, type DomainStats, type Driver, isVirError, messageOf } from '@covirt/core'
import { lifecycleOf, parseDomain } from '@covirt/xml'
import type { LifecycleDefaults } from '../model/defaults.js'
import { resolvePolicy } from '../model/resolve-policy.js'
import type { PlanDomain } from './plan-domain.js'

/** How domains are read for a plan. */
export interface ReadPlanDomainsOptions extends CallOptions {
  readonly defaults: LifecycleDefaults
  /** Whether the domain was up when the host went down last. */
  readonly wasActive?: ((uuid: string) => boolean) | undefined
}

/** How many documents are asked for at the same time. */
const atATime = 32

/** The domains of `driver` as plans are made from them. One that vanishes meanwhile is left out. */
export async function readPlanDomains(
  driver: Driver,
  options: ReadPlanDomainsOptions,
): Promise<readonly PlanDomain[]> {
  const { signal } = options
  const queue = await driver.getAllDomainStats({}, { signal })
  const found: PlanDomain[] = []
  let next = 0
  const read = async () => {
    for (let stats = queue[next++]; stats !== undefined; stats = queue[next++]) {
      const domain = await readOne(driver, stats, options)
      if (domain) found.push(domain)
    }
  }
  await Promise.all(Array.from({ length: atATime }, read))
  return found
}

async function readOne(
  driver: Driver,
  { domain, persistent, autostart, state }: DomainStats,
  options: ReadPlanDomainsOptions,
): Promise<PlanDomain | undefined> {
  const { defaults, signal } = options
  let text: string
  try {
    text = await driver.getDomainXml(domain, { inactive: true, signal })
  } catch (error) {
    if (isVirError(error, 'NO_DOMAIN')) return undefined
    throw error
  }
  const active = state.state !== 'shutoff'
  const common = {
    ref: { uuid: domain.uuid, name: domain.name },
    active,
    autostart,
    persistent,
    wasActive: options.wasActive?.(domain.uuid),
  }
  try {
    const document = parseDomain(text)
    const policy = resolvePolicy(lifecycleOf(document), defaults)
    return { ...common, policy }
  } catch (error) {
    const problem = `the life-cycle metadata of '${domain.name}' cannot be read: ${messageOf(error)}`
    return { ...common, policy: resolvePolicy(undefined, defaults), problem }
  }
}
