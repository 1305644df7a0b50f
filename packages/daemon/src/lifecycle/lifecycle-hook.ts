import { join } from 'node:path'
import { type CallOptions, type Driver, formatConnectUri, isVirError, VirError } from '@covirt/core'
import {
  EventRecorder,
  executableHooks,
  FileJournal,
  type HostLifecycle,
  type Journal,
  LocalLifecycle,
  lifecycleService,
  type Progress,
  readBootIdentity,
  SystemProbeIo,
  systemConditions,
} from '@covirt/lifecycle'
import { resolveRoot } from '@covirt/local'
import type { Service, ServiceCallOptions } from '@covirt/server'
import type { DaemonContext, DaemonHook } from '../daemon-hook.js'
import { instanceUri } from '../drivers/driver-house.js'
import { hostFate } from './host-fate.js'
import { defaultsOf } from './lifecycle-defaults.js'
import { PlanRuns } from './plan-runs.js'

/** How often the service manager is asked for more time, and for how much, while guests go down. */
const extendEveryMs = 5000
const extendByMs = 20_000

interface Running {
  /** All guests of the daemon; absent where none of its drivers has guests of the host. */
  readonly driver: Driver | undefined
  readonly journal: Journal
  /** The plans of this driver's guests. */
  readonly lifecycleOf: (driver: Driver) => LocalLifecycle
}

/**
 * Brings the host's guests up once for each boot, and down when the host goes down; when only the daemon goes, they
 * live on. Notes in the journal what becomes of them in between, and makes and runs plans for clients.
 */
export class LifecycleHook implements DaemonHook {
  readonly #runs = new PlanRuns()
  #context: DaemonContext | undefined
  #running: Promise<Running> | undefined
  #booting: Promise<void> = Promise.resolve()
  #goingDown = false

  /** Plans for covirt's own clients. */
  readonly service: Service = lifecycleService((call: ServiceCallOptions) => this.#lifecycleFor(call))

  async started(context: DaemonContext, signal: AbortSignal): Promise<void> {
    this.#context = context
    this.#running = this.#open(context, signal)
    this.#running.catch(() => {})
    const { driver, lifecycleOf } = await this.#running
    if (driver && context.config.lifecycle.start) {
      this.#booting = this.#boot(context, lifecycleOf(driver))
      await this.#booting
    }
  }

  async stopping(context: DaemonContext): Promise<void> {
    const { config, server, logger, clock } = context
    const fate = config.lifecycle.stop ? await hostFate(clock) : 'staying'
    if (fate === 'unknown')
      logger.error('systemd does not say whether the host goes down: guests are let live on')
    this.#goingDown = fate === 'going-down'
    const goingDown = this.#goingDown
    if (goingDown) server.drain('the host is going down')
    await this.#runs.close(goingDown ? 'the host is going down' : 'covirtd goes down')
    await this.#booting.catch(() => {})
    const running = await this.#running?.catch(() => undefined)
    if (!running) return
    const { driver, lifecycleOf, journal } = running
    try {
      if (driver && goingDown) {
        logger.info('the host goes down, and all guests with it')
        await this.#bringDown(context, lifecycleOf(driver))
      }
    } finally {
      await journal.close()
      await driver?.close()
    }
  }

  async #open(context: DaemonContext, signal: AbortSignal): Promise<Running> {
    const { clock, logger, instance, config } = context
    const driver = await context.open(signal).catch((error: unknown) => {
      if (!isVirError(error, 'NO_CONNECT')) throw error
      logger.info('there is no driver whose guests could be started', { reason: error.message })
      return undefined
    })
    const uri = instanceUri('covirt', instance)
    const { stateDirectory, configDirectory, runDirectory } = resolveRoot(uri)
    const boot = await readBootIdentity()
    const file = FileJournal.open({ directory: join(stateDirectory, 'lifecycle') })
    const journal = driver ? new EventRecorder({ journal: file, driver, clock, logger, boot }) : file
    const common = {
      clock,
      logger,
      journal,
      boot,
      conditions: systemConditions,
      hooks: executableHooks(join(configDirectory, 'hooks')),
    }
    const lifecycleOf = (guests: Driver) => {
      const probeIo = new SystemProbeIo(guests, join(runDirectory, 'notify'))
      const partOf = guests.uri === driver?.uri ? undefined : formatConnectUri(uri)
      return new LocalLifecycle({ ...common, driver: guests, probeIo, partOf }, defaultsOf(config.lifecycle))
    }
    return { driver, journal, lifecycleOf }
  }

  /** What a client's calls do: on the guests of its own connection, one plan at a time. */
  async #lifecycleFor({ driver, identity }: ServiceCallOptions): Promise<HostLifecycle> {
    if (!this.#running || !this.#context)
      throw new VirError('NO_CONNECT', 'covirtd has only begun to come up', { hint: 'Try again' })
    const { server } = this.#context
    const plans = (await this.#running).lifecycleOf(driver)
    return {
      planStart: (...args) => plans.planStart(...args),
      planStop: (...args) => plans.planStop(...args),
      journal: (request) => plans.journal(request),
      up: async (request, options) => {
        plans.check(request)
        // Asked at each boot, while the plan of the boot runs.
        if (request?.takenDown && !(await plans.wereTakenDown())) return undefined
        // Whoever asks for what is to be done once is served by waiting for whoever does it.
        const waits = request?.boot || request?.takenDown
        const what = `A start plan for '${identity.name}'`
        const up = (signal: AbortSignal) => plans.up(request, { ...options, signal })
        return this.#runs.run(what, up, { ...options, waits })
      },
      down: async (request, options) => {
        const what = `A stop plan for '${identity.name}'`
        const interrupts = request?.host
        const down = (signal: AbortSignal) => plans.down(request, { ...options, signal })
        if (!interrupts) return this.#runs.run(what, down, options)
        server.drain('the host is going down')
        try {
          return await this.#runs.run(what, down, { ...options, interrupts })
        } finally {
          if (!this.#goingDown) server.drain(undefined)
        }
      },
    }
  }

  async #boot({ logger, serviceManager }: DaemonContext, plans: LocalLifecycle): Promise<void> {
    const tally = new Tally((text) => serviceManager.status(`starting guests: ${text}`))
    const onProgress = (each: Progress) => tally.count(each)
    try {
      const report = await this.#runs.run('The start plan of this boot', (signal) =>
        plans.boot({ signal, onProgress }),
      )
      if (!report) return
      const up = report.results.filter(({ outcome }) => outcome === 'ready').length
      logger.info('the start plan of this boot has run', {
        up,
        of: report.results.length,
        tookMs: report.tookMs,
      })
      serviceManager.status(`${up} of ${report.results.length} guests of the start plan are up`)
    } catch (error) {
      if (!isVirError(error, 'OPERATION_ABORTED') && !isVirError(error, 'OPERATION_DENIED')) throw error
      logger.warn('the start plan of this boot was interrupted; the next covirtd goes on with it')
    }
  }

  async #bringDown(context: DaemonContext, plans: HostLifecycle): Promise<void> {
    const { logger, serviceManager } = context
    const tally = new Tally((text) => serviceManager.status(`guests going down: ${text}`))
    const through = new AbortController()
    const extending = this.#extend(context, through)
    try {
      const onProgress = (each: Progress) => tally.count(each)
      const report = await plans.down({ host: true }, { onProgress })
      const failed = report.results.filter(({ outcome }) => outcome === 'failed').length
      logger.info('the stop plan has run', { guests: report.results.length, failed, tookMs: report.tookMs })
    } finally {
      through.abort('all guests are down')
      await extending
    }
  }

  /** What the service manager grants by itself does not know how many guests there are. */
  async #extend({ serviceManager, clock }: DaemonContext, through: AbortController): Promise<void> {
    const { signal }: CallOptions = through
    while (!through.signal.aborted) {
      serviceManager.extendTimeout(extendByMs)
      await clock.sleep(extendEveryMs, { signal }).catch(() => {})
    }
  }
}

const ended: ReadonlySet<Progress['phase']> = new Set([
  'ready',
  'not-ready',
  'failed',
  'skipped',
  'off',
  'left',
])

/** How many guests are through, in words. */
class Tally {
  readonly #seen = new Set<string>()
  readonly #through = new Set<string>()
  readonly #tell: (text: string) => void

  constructor(tell: (text: string) => void) {
    this.#tell = tell
  }

  count({ uuid, phase, name }: Progress): void {
    this.#seen.add(uuid)
    if (!ended.has(phase)) return
    this.#through.add(uuid)
    this.#tell(`${this.#through.size} of ${this.#seen.size}, last '${name}' (${phase})`)
  }
}
