import { lifecycleDefaults, type PlanDomain, resolvePolicy } from '@covirt/lifecycle'
import { uuidOf } from './make-domains.js'

const plain = resolvePolicy(undefined, lifecycleDefaults)

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const uuids = Array.from({ length: 40 }, (_, index) => uuidOf(`d${index}`))

/** Up to 16 domains with dependencies at random, also on what does not exist, and in circles. */
export function randomDomains(seed: number, active = false): readonly PlanDomain[] {
  const next = random(seed)
  const count = 1 + Math.floor(next() * 16)
  const density = next() * 0.3
  return Array.from({ length: count }, (_, index): PlanDomain => {
    const after = Array.from({ length: count + 1 }, (_none, other) => other)
      .filter(() => next() < density)
      .map((other) => ({
        ...(next() < 0.5 && other < count ? { uuid: uuids[other] as string } : { name: `d${other}` }),
        until: next() < 0.5 ? ('started' as const) : ('ready' as const),
        onFailure: next() < 0.6 ? ('skip' as const) : ('start' as const),
      }))
    return {
      ref: { uuid: uuids[index] as string, name: `d${index}` },
      active: active || next() < 0.1,
      autostart: next() < 0.8,
      persistent: next() < 0.95,
      policy: {
        start: {
          ...plain.start,
          after,
          order: next() < 0.7 ? 1000 : Math.floor(next() * 4),
          delayMs: Math.floor(next() * 3) * 1000,
        },
        stop: { ...plain.stop, priority: next() < 0.8 ? 0 : Math.floor(next() * 3) },
      },
    }
  })
}

/** The names of the domains that are on some circle of dependencies among those off and wanted, found naively. */
export function onCircles(
  domains: readonly PlanDomain[],
  keep: (dependency: { readonly onFailure: string }) => boolean,
): ReadonlySet<string> {
  const byKey = new Map(
    domains.flatMap(({ ref }, index) => [[ref.name, index] as const, [ref.uuid, index] as const]),
  )
  const reach = domains.map(({ policy, active }) => {
    const direct = policy.start.after.filter(keep).map(({ name, uuid }) => byKey.get(uuid ?? name ?? ''))
    return new Set(active ? [] : direct.filter((index) => index !== undefined && !domains[index]?.active))
  })
  for (const [via] of domains.entries()) {
    for (const each of reach) if (each.has(via)) for (const further of reach[via] ?? []) each.add(further)
  }
  return new Set(domains.flatMap(({ ref }, index) => (reach[index]?.has(index) ? [ref.name] : [])))
}
