import { join } from 'node:path'
import {
  type CallOptions,
  type Driver,
  formatConnectUri,
  isVirError,
  messageOf,
  VirError,
} from '@covirt/core'
import {
  type DownRequest,
  EventRecorder,
  executableHooks,
  FileJournal,
  type HostLifecycle,
  type Journal,
  LocalLifecycle,
  lifecycleService,
  type Progress,
  type RunOptions,
  readBootIdentity,
  type StopReport,
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
import { SharedRun } from './shared-run.js'
import { hasLogind, ShutdownLock, type ShutdownLockPrograms } from './shutdown-lock.js'
import { Tally } from './tally.js'

/** How often the service manager is asked for more time, and for how much, while guests go down. */
const extendEveryMs = 5000
const extendByMs = 20_000

const goesDown = 'the host is going down'

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
  /** The plan that takes all guests of the daemon down with the host. */
  readonly #hostDown = new SharedRun<StopReport>()
  readonly #lockPrograms: ShutdownLockPrograms | undefined
  readonly #unlock = new AbortController()
  #locking: Promise<void> = Promise.resolve()
  /** What is done because of what logind has said last. */
  #reaction: Promise<void> = Promise.resolve()
  /** Ends taking guests down ahead of a shutdown. */
  #ahead = new AbortController()
  /** Ends bringing guests up again after a shutdown that was called off. */
  #comingUp = new AbortController()
  #context: DaemonContext | undefined
  #running: Promise<Running> | undefined
  #booting: Promise<void> = Promise.resolve()
  #goingDown = false

  /** Plans for covirt's own clients. */
  readonly service: Service = lifecycleService((call: ServiceCallOptions) => this.#lifecycleFor(call))

  /** @param lockPrograms how a shutdown of the host is heard of; default: through logind, where this is the host's daemon */
  constructor(lockPrograms?: ShutdownLockPrograms) {
    this.#lockPrograms = lockPrograms
  }

  async started(context: DaemonContext, signal: AbortSignal): Promise<void> {
    this.#context = context
    this.#running = this.#open(context, signal)
    this.#running.catch(() => {})
    const { driver, lifecycleOf } = await this.#running
    if (driver) this.#takeLock(context, lifecycleOf(driver))
    if (driver && context.config.lifecycle.start && !this.#goingDown) {
      this.#booting = this.#boot(context, lifecycleOf(driver))
      await this.#booting
    }
  }

  async stopping(context: DaemonContext): Promise<void> {
    const { config, server, logger, clock } = context
    if (!this.#goingDown && config.lifecycle.stop) {
      const fate = await hostFate(clock)
      if (fate === 'unknown')
        logger.error('systemd does not say whether the host goes down: guests are let live on')
      this.#goingDown = fate === 'going-down'
    }
    const goingDown = this.#goingDown
    if (goingDown) server.drain(goesDown)
    else await this.#runs.close('covirtd goes down')
    const running = await this.#running?.catch(() => undefined)
    try {
      if (running?.driver && goingDown) await this.#bringDown(context, running.lifecycleOf(running.driver))
    } finally {
      if (goingDown) await this.#runs.close(goesDown)
      this.#unlock.abort('covirtd goes down')
      await Promise.all([this.#booting.catch(() => {}), this.#locking, this.#reaction])
      await running?.journal.close()
      await running?.driver?.close()
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
    const running = await this.#running
    const plans = running.lifecycleOf(driver)
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
      down: async (request, options = {}) => {
        const what = `A stop plan for '${identity.name}'`
        if (!request?.host) {
          const down = (signal: AbortSignal) => plans.down(request, { ...options, signal })
          return this.#runs.run(what, down, options)
        }
        server.drain(goesDown)
        try {
          const isAll = !request.only && driver.uri === running.driver?.uri
          const down = (all: RunOptions) => this.#downWithHost(what, plans, request, all)
          return isAll ? await this.#hostDown.join(options, down) : await down(options)
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
      if (!isInterruption(error)) throw error
      logger.warn('the start plan of this boot was interrupted; the next covirtd goes on with it')
    }
  }

  /** Where logind can be heard: begins to take guests down before anything else that the host has, and lets go of it then. */
  #takeLock(context: DaemonContext, plans: LocalLifecycle): void {
    const { config, instance, serviceManager, clock, logger } = context
    const isOfHost = serviceManager.isThere && instance.path === '/system' && instance.root === undefined
    if (!config.lifecycle.stop || !config.lifecycle.inhibitor) return
    if (!this.#lockPrograms && !(isOfHost && hasLogind())) return
    const lock = new ShutdownLock({
      clock,
      logger,
      programs: this.#lockPrograms,
      onChange: (goingDown) => {
        this.#goingDown = goingDown
        const reaction = goingDown
          ? this.#goAhead(context, plans, lock)
          : this.#stay(context, plans, this.#reaction)
        this.#reaction = reaction.catch((error: unknown) => {
          if (!isInterruption(error))
            logger.error('what logind said cannot be acted on', { error: messageOf(error) })
        })
      },
    })
    this.#locking = lock.keep(this.#unlock.signal)
  }

  /** logind waits for this. */
  async #goAhead(context: DaemonContext, plans: LocalLifecycle, lock: ShutdownLock): Promise<void> {
    this.#comingUp.abort(goesDown)
    context.server.drain(goesDown)
    const ahead = new AbortController()
    this.#ahead = ahead
    try {
      await this.#bringDown(context, plans, ahead)
    } finally {
      if (!ahead.signal.aborted) lock.release()
    }
  }

  /** The shutdown was called off, which `goneAhead` was for. */
  async #stay(
    { logger, config, server }: DaemonContext,
    plans: LocalLifecycle,
    goneAhead: Promise<void>,
  ): Promise<void> {
    if (!config.lifecycle.start) {
      logger.warn('the host does not go down after all: guests that have gone down for it stay down')
      this.#ahead.abort('the host does not go down')
      server.drain(undefined)
      return
    }
    logger.warn('the host does not go down after all: guests that go down for it come up again')
    this.#comingUp = new AbortController()
    const { signal } = this.#comingUp
    // Guests that have been asked to go down still do: only once all are through it is known who is to come up again.
    await goneAhead
    if (signal.aborted) return
    server.drain(undefined)
    const up = (each: AbortSignal) => plans.up({ takenDown: true }, { signal: each })
    await this.#runs.run('What comes up again', up, { waits: true, signal })
  }

  /** After whatever else runs has been interrupted. */
  #downWithHost(
    what: string,
    plans: HostLifecycle,
    request: DownRequest,
    options: RunOptions,
  ): Promise<StopReport> {
    const down = (signal: AbortSignal) => plans.down(request, { ...options, signal })
    return this.#runs.run(what, down, { signal: options.signal, interrupts: true })
  }

  async #bringDown(
    context: DaemonContext,
    plans: HostLifecycle,
    { signal }: CallOptions = {},
  ): Promise<void> {
    const { logger, serviceManager } = context
    logger.info('the host goes down, and all guests with it')
    const tally = new Tally((text) => serviceManager.status(`guests going down: ${text}`))
    const through = new AbortController()
    const extending = this.#extend(context, through)
    try {
      const onProgress = (each: Progress) => tally.count(each)
      const down = (all: RunOptions) =>
        this.#downWithHost('The stop plan of the host', plans, { host: true }, all)
      const report = await this.#hostDown.join({ signal, onProgress }, down)
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

function isInterruption(error: unknown): boolean {
  return isVirError(error, 'OPERATION_ABORTED') || isVirError(error, 'OPERATION_DENIED')
}
