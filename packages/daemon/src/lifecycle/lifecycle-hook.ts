import { join } from 'node:path'
import { type CallOptions, type Driver, isVirError } from '@covirt/core'
import {
  EventRecorder,
  executableHooks,
  FileJournal,
  makeStopPlan,
  type Progress,
  type RunnerParts,
  readBootIdentity,
  runBoot,
  runStop,
  SystemProbeIo,
  systemConditions,
} from '@covirt/lifecycle'
import { resolveRoot } from '@covirt/local'
import type { DaemonContext, DaemonHook } from '../daemon-hook.js'
import { instanceUri } from '../drivers/driver-house.js'
import { hostFate } from './host-fate.js'
import { defaultsOf } from './lifecycle-defaults.js'

/** How often the service manager is asked for more time, and for how much, while guests go down. */
const extendEveryMs = 5000
const extendByMs = 20_000

interface Running {
  readonly driver: Driver
  readonly recorder: EventRecorder
  readonly parts: Omit<RunnerParts, 'actor'>
}

/**
 * Brings the host's guests up once for each boot, and down when the host goes down; when only the daemon goes, they
 * live on. Notes in the journal what becomes of them in between.
 */
export class LifecycleHook implements DaemonHook {
  readonly #over = new AbortController()
  #running: Promise<Running> | undefined
  #booting: Promise<void> = Promise.resolve()

  async started(context: DaemonContext, signal: AbortSignal): Promise<void> {
    this.#running = this.#open(context, signal)
    this.#running.catch(() => {})
    let running: Running
    try {
      running = await this.#running
    } catch (error) {
      if (!isVirError(error, 'NO_CONNECT')) throw error
      context.logger.info('there is no driver whose guests could be started', { reason: error.message })
      return
    }
    if (context.config.lifecycle.start) {
      this.#booting = this.#boot(context, running)
      await this.#booting
    }
  }

  async stopping(context: DaemonContext): Promise<void> {
    const { config, server, logger, clock } = context
    const fate = config.lifecycle.stop ? await hostFate(clock) : 'staying'
    if (fate === 'unknown')
      logger.error('systemd does not say whether the host goes down: guests are let live on')
    const goingDown = fate === 'going-down'
    if (goingDown) server.drain('the host is going down')
    this.#over.abort('the daemon goes down')
    await this.#booting.catch(() => {})
    const running = await this.#running?.catch(() => undefined)
    if (!running) return
    try {
      if (goingDown) {
        logger.info('the host goes down, and all guests with it')
        await this.#bringDown(context, running)
      }
    } finally {
      await running.recorder.close()
      await running.driver.close()
    }
  }

  async #open(context: DaemonContext, signal: AbortSignal): Promise<Running> {
    const { clock, logger, instance } = context
    const driver = await context.open(signal)
    const { stateDirectory, configDirectory, runDirectory } = resolveRoot(instanceUri('covirt', instance))
    const boot = await readBootIdentity()
    const journal = FileJournal.open({ directory: join(stateDirectory, 'lifecycle') })
    const recorder = new EventRecorder({ journal, driver, clock, logger, boot })
    const parts = {
      driver,
      clock,
      logger,
      journal: recorder,
      boot,
      probeIo: new SystemProbeIo(driver, join(runDirectory, 'notify')),
      conditions: systemConditions,
      hooks: executableHooks(join(configDirectory, 'hooks')),
    }
    return { driver, recorder, parts }
  }

  async #boot({ config, logger, serviceManager }: DaemonContext, { parts }: Running): Promise<void> {
    const tally = new Tally((text) => serviceManager.status(`starting guests: ${text}`))
    const { signal } = this.#over
    try {
      const report = await runBoot(
        { ...parts, actor: 'boot', signal, onProgress: (each) => tally.count(each) },
        { defaults: defaultsOf(config.lifecycle) },
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
      if (!isVirError(error, 'OPERATION_ABORTED')) throw error
      logger.warn('the start plan of this boot was interrupted; the next covirtd goes on with it')
    }
  }

  async #bringDown(context: DaemonContext, { parts }: Running): Promise<void> {
    const { config, logger, serviceManager } = context
    const tally = new Tally((text) => serviceManager.status(`guests going down: ${text}`))
    const through = new AbortController()
    const extending = this.#extend(context, through)
    try {
      const defaults = defaultsOf(config.lifecycle)
      const plan = await makeStopPlan(parts, { defaults })
      const report = await runStop(plan, {
        ...parts,
        actor: 'power-off',
        host: true,
        onProgress: (each) => tally.count(each),
      })
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
