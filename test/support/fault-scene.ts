import type { DomainSpec, DriverWorld } from '@covirt/contract'
import { type Connection, type Domain, type Driver, silentLogger, systemClock } from '@covirt/core'
import {
  type HostConditions,
  lifecycleDefaults,
  type MakePlanOptions,
  MemoryJournal,
  makeStartPlan,
  makeStopPlan,
  type RunnerParts,
  runStart,
  runStop,
  type StartReport,
  type StopParts,
  type StopReport,
  SystemProbeIo,
} from '@covirt/lifecycle'

/** Short budgets: what counts is what happens when they are used up. */
export const budgets = {
  ...lifecycleDefaults,
  ladder: [
    { by: 'request', budgetMs: 4000 },
    { by: 'destroy', budgetMs: 3000 },
  ],
  deadlineMs: 15_000,
  probeIntervalMs: 100,
} as const

const nothingMissing: HostConditions = {
  mount: async () => true,
  network: async () => true,
  pool: async () => true,
}

/** Brings all domains of a scene down in another way than ours. */
type Stop = (scene: FaultScene, changes: Partial<StopParts>, deadlineMs: number) => Promise<StopReport>

/** A world with some domains in it, in which plans are run. */
export class FaultScene implements AsyncDisposable {
  readonly journal = new MemoryJournal()
  readonly world: DriverWorld
  readonly #connection: Connection
  readonly #domains = new Map<string, Domain>()

  readonly #stop: Stop

  private constructor(world: DriverWorld, connection: Connection, stop: Stop) {
    this.world = world
    this.#connection = connection
    this.#stop = stop
  }

  static async make(world: DriverWorld, stop: Stop = runOurs): Promise<FaultScene> {
    return new FaultScene(world, await world.open(), stop)
  }

  get driver(): Driver {
    return this.#connection.driver
  }

  domain(label: string): Domain {
    const found = this.#domains.get(label)
    if (!found) throw new Error(`no domain ${label}`)
    return found
  }

  /** Defines a domain that is marked to be started. Names in `lifecycle` are written `@label`. */
  async define(
    label: string,
    lifecycle = '',
    spec: Pick<DomainSpec, 'guest' | 'elements'> = {},
  ): Promise<void> {
    const domain = await this.#connection.domains.define(this.xml(label, lifecycle, spec))
    await domain.setAutostart(true)
    this.#domains.set(label, domain)
  }

  xml(label: string, lifecycle: string, spec: Pick<DomainSpec, 'guest' | 'elements'> = {}): string {
    const named = lifecycle.replace(/@(\w+)/g, (_all, other: string) => this.name(other))
    const metadata = `<metadata><lifecycle xmlns='urn:covirt:lifecycle:1'>${named}</lifecycle></metadata>`
    return this.world.domainXml({
      name: this.name(label),
      ...spec,
      elements: `${metadata}${spec.elements ?? ''}`,
    })
  }

  readonly #names = new Map<string, string>()

  name(label: string): string {
    const name = this.#names.get(label) ?? this.world.uniqueName(label)
    this.#names.set(label, name)
    return name
  }

  /** Defines a domain and starts it; resolves once its guest acts on what it is asked. */
  async running(
    label: string,
    lifecycle = '',
    spec: Pick<DomainSpec, 'guest' | 'elements'> = {},
  ): Promise<Domain> {
    await this.define(label, lifecycle, spec)
    const domain = this.domain(label)
    await domain.start()
    await this.world.ready(domain)
    return domain
  }

  async transient(label: string): Promise<void> {
    const domain = await this.#connection.domains.create(this.xml(label, ''))
    this.#domains.set(label, domain)
    await this.world.ready(domain)
  }

  parts(changes: Partial<RunnerParts> = {}): RunnerParts {
    const driver = changes.driver ?? this.driver
    return {
      driver,
      clock: systemClock,
      logger: silentLogger,
      journal: this.journal,
      actor: 'boot',
      boot: 'boot',
      probeIo: new SystemProbeIo(driver, '/nowhere'),
      conditions: nothingMissing,
      ...changes,
    }
  }

  async up(changes: Partial<RunnerParts> = {}, options: MakePlanOptions = {}): Promise<StartReport> {
    const parts = this.parts(changes)
    const defaults = { ...budgets, limit: 8, ...options.defaults }
    return runStart(await makeStartPlan(parts, { ...options, defaults, atBoot: true }), parts)
  }

  down(changes: Partial<StopParts> = {}, deadlineMs: number = budgets.deadlineMs): Promise<StopReport> {
    return this.#stop(this, changes, deadlineMs)
  }

  /** The outcome of each domain by its label. */
  outcomes({ results }: StartReport | StopReport): Readonly<Record<string, string>> {
    const labels = new Map([...this.#names].map(([label, name]) => [name, label]))
    return Object.fromEntries(results.map(({ name, outcome }) => [labels.get(name) ?? name, outcome]))
  }

  /** The domains that were forced and were not to be, or sooner than after so long, by their labels. */
  forcedTooSoon(
    { results }: StartReport | StopReport,
    afterMs: Readonly<Record<string, number>>,
  ): readonly string[] {
    const leastMs = new Map(Object.entries(afterMs).map(([label, ms]) => [this.name(label), ms]))
    return results.flatMap(({ name, outcome, ...result }) => {
      if (outcome !== 'forced') return []
      const tookMs = result.endedMs - result.beganMs
      return tookMs >= (leastMs.get(name) ?? Infinity) ? [] : [`${name} after ${tookMs} ms`]
    })
  }

  async activeLabels(): Promise<readonly string[]> {
    const labels = new Map([...this.#names].map(([label, name]) => [name, label]))
    const active = await this.#connection.domains.list({ active: true })
    return active.map(({ name }) => labels.get(name) ?? name).sort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const domain of await this.#connection.domains.list({ active: true })) {
      await domain.destroy().catch(() => {})
    }
    await this.#connection.close()
    await this.world[Symbol.asyncDispose]()
  }
}

async function runOurs(
  scene: FaultScene,
  changes: Partial<StopParts>,
  deadlineMs: number,
): Promise<StopReport> {
  const parts = { ...scene.parts({ actor: 'power-off', ...changes }), host: changes.host ?? true }
  return runStop(await makeStopPlan(parts, { defaults: { ...budgets, deadlineMs } }), parts)
}

/** The driver with something of it replaced. */
export function changed(driver: Driver, changes: Partial<Driver>): Driver {
  return new Proxy(driver, {
    get: (target, key) => {
      if (key in changes) return Reflect.get(changes, key)
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
