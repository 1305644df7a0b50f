import type { LifecycleXml } from '@covirt/xml'
import type { LifecycleDefaults } from './defaults.js'
import type {
  Cadence,
  LifecyclePolicy,
  ProbeSpec,
  Readiness,
  Requirement,
  Rung,
  StartPolicy,
  StopPolicy,
} from './policy.js'

type StartXml = NonNullable<LifecycleXml['start']>
type ReadyXml = NonNullable<StartXml['ready']>

/** A domain's policy: what its metadata say, else the defaults. */
export function resolvePolicy(xml: LifecycleXml | undefined, defaults: LifecycleDefaults): LifecyclePolicy {
  return { start: startPolicy(xml?.start, defaults), stop: stopPolicy(xml?.stop, defaults) }
}

function startPolicy(xml: StartXml | undefined, defaults: LifecycleDefaults): StartPolicy {
  return {
    order: xml?.order ?? defaults.order,
    delayMs: xml?.delayMs ?? defaults.delayMs,
    attempts: xml?.attempts ?? defaults.attempts,
    backoffMs: xml?.backoffMs ?? defaults.backoffMs,
    timeoutMs: xml?.timeoutMs ?? defaults.startTimeoutMs,
    restore: xml?.restore ?? false,
    once: xml?.once ?? false,
    after: (xml?.after ?? []).map(({ domain, uuid, until, onFailure }) => ({
      name: domain,
      uuid,
      until: until ?? defaults.until,
      onFailure: onFailure ?? defaults.onFailure,
    })),
    requires: (xml?.requires ?? []).map((each) => requirement(each, defaults)),
    readiness: xml?.ready && readiness(xml.ready, defaults),
  }
}

function requirement(xml: StartXml['requires'][number], defaults: LifecycleDefaults): Requirement {
  const timeoutMs = xml.timeoutMs ?? defaults.requireTimeoutMs
  if (xml.mount !== undefined) return { kind: 'mount', name: xml.mount, timeoutMs }
  if (xml.network !== undefined) return { kind: 'network', name: xml.network, timeoutMs }
  return { kind: 'pool', name: xml.pool ?? '', timeoutMs }
}

function readiness(xml: ReadyXml, defaults: LifecycleDefaults): Readiness | undefined {
  const common: Cadence = {
    intervalMs: xml.intervalMs ?? defaults.probeIntervalMs,
    timeoutMs: xml.timeoutMs ?? defaults.probeTimeoutMs,
  }
  const cadence = (own: { readonly [K in keyof Cadence]?: number | undefined }): Cadence => ({
    intervalMs: Math.max(1, own.intervalMs ?? common.intervalMs),
    timeoutMs: own.timeoutMs ?? common.timeoutMs,
  })
  const probes: readonly ProbeSpec[] = [
    ...xml.agents.map((each) => ({ kind: 'agent' as const, ...cadence(each) })),
    ...xml.tcps.map((each) => ({ kind: 'tcp' as const, host: each.host, port: each.port, ...cadence(each) })),
    ...xml.https.map((each) => ({
      kind: 'http' as const,
      url: each.url,
      status: each.status,
      ...cadence(each),
    })),
    ...xml.execs.map((each) => ({ kind: 'exec' as const, args: each.args, ...cadence(each) })),
    ...xml.consoles.map((each) => ({
      kind: 'console' as const,
      pattern: each.pattern,
      device: each.device,
      ...cadence(each),
    })),
    ...xml.addresses.map((each) => ({ kind: 'address' as const, family: each.family, ...cadence(each) })),
    ...xml.inits.map((each) => ({ kind: 'init' as const, ...cadence(each) })),
    ...xml.notifies.map((each) => ({ kind: 'notify' as const, ...cadence(each) })),
  ]
  return probes.length === 0 ? undefined : { match: xml.match ?? 'all', probes }
}

function stopPolicy(xml: LifecycleXml['stop'], defaults: LifecycleDefaults): StopPolicy {
  const action = xml?.action ?? defaults.stopAction
  return {
    action,
    priority: xml?.priority ?? defaults.stopPriority,
    ladder: ladder(
      action,
      (xml?.rungs ?? []).map(({ by, budgetMs }) => ({
        by,
        budgetMs: budgetMs ?? defaultBudgetMs(by, defaults),
      })),
      defaults,
    ),
  }
}

const saveBudgetMs = 60_000
const destroyBudgetMs = 5000

function ladder(
  action: StopPolicy['action'],
  own: readonly Rung[],
  defaults: LifecycleDefaults,
): readonly Rung[] {
  if (action === 'leave') return []
  const destroy = { by: 'destroy', budgetMs: defaultBudgetMs('destroy', defaults) } as const
  if (action === 'destroy') return [own.find(({ by }) => by === 'destroy') ?? destroy]
  const rungs = own.length > 0 ? own : defaults.ladder
  const ended = rungs.at(-1)?.by === 'destroy' ? rungs : [...rungs, destroy]
  if (action !== 'save' || ended.some(({ by }) => by === 'save')) return ended
  return [{ by: 'save', budgetMs: saveBudgetMs }, ...ended]
}

function defaultBudgetMs(by: Rung['by'], { ladder: rungs }: LifecycleDefaults): number {
  const same = rungs.find((rung) => rung.by === by)
  if (same) return same.budgetMs
  if (by === 'destroy') return destroyBudgetMs
  if (by === 'save') return saveBudgetMs
  return rungs.find((rung) => rung.by === 'request')?.budgetMs ?? 60_000
}
