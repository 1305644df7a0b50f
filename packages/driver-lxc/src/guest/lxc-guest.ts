import type { Duplex } from 'node:stream'
import {
  type CallOptions,
  type Clock,
  type ConsoleOptions,
  type Logger,
  messageOf,
  type ShutdownMode,
  VirError,
} from '@covirt/core'
import type { Guest, GuestExit, GuestInfo, GuestPhase, GuestRecord, GuestSink } from '@covirt/local'
import type { DomainXml } from '@covirt/xml'
import { hostLinkName } from '../config/network.js'
import { type InitKind, type InitSignals, initSignals, isHeard, signalNumber } from '../host/init-kind.js'
import { removeLeftovers } from '../host/leftovers.js'
import { processIdentity, signalMasks } from '../host/processes.js'
import { toVirError } from '../lxc-errors.js'
import {
  type Container,
  isFrozen,
  LxcError,
  type PidfdWatch,
  type StateRecord,
  setFrozen,
  start,
  stop,
  waitAfterExit,
  watchInit,
  watchPidfd,
} from '../native.js'
import { ConsoleSlot } from './console-slot.js'
import { exitOf, type InitEnd, wantsReboot } from './exit-reason.js'
import { readGuestInfo } from './guest-info.js'
import type { StateHub } from './state-hub.js'

/** What a guest is made of. */
export interface LxcGuestParts {
  readonly name: string
  readonly container: Container
  /** Live. */
  readonly document: DomainXml
  readonly init: InitKind
  readonly states: StateHub
  readonly sink: GuestSink
  readonly clock: Clock
  readonly logger: Logger
  /** liblxc's own. */
  readonly logFile: string
}

/** The init that runs, and the monitor of liblxc that is its parent. */
interface Watched {
  readonly pid: number
  readonly startTicks: number
  readonly watch: PidfdWatch
  readonly monitorPid: number
  readonly monitor: PidfdWatch | undefined
  readonly monitorGone: Promise<void>
}

/** An init that has just been executed takes some milliseconds until it listens to signals. */
const hearingMs = 500
const hearingStepMs = 5
/** The monitor tells how init ended before it ends itself; its word may be on its way for a moment. */
const statusPatienceMs = 500
const statusStepMs = 2
const stopPatienceMs = 10_000
const sigkill = 9

/** A container that runs. */
export class LxcGuest implements Guest {
  readonly document: DomainXml
  readonly #parts: LxcGuestParts
  readonly #console: ConsoleSlot
  readonly #unsubscribe: () => void
  /** Fires when the guest is let go of, or is gone. */
  readonly #over = new AbortController()
  /** Fires when it is killed: it is not started again then. */
  readonly #kills = new AbortController()
  readonly #gone: Promise<void>
  #setGone: () => void = () => {}
  #watched: Watched | undefined
  #phase: GuestPhase = 'running'
  #status: number | undefined
  #lastStatus: number | undefined
  #asked = false
  #restartAsked = false
  #released = false
  #ended = false
  #killing: Promise<void> | undefined

  private constructor(parts: LxcGuestParts) {
    this.#parts = parts
    this.document = parts.document
    this.#console = new ConsoleSlot(parts.container, parts.clock)
    this.#gone = new Promise((resolve) => {
      this.#setGone = resolve
    })
    this.#unsubscribe = parts.states.subscribe(parts.container.name, (record) => this.#heard(record))
  }

  /** Takes charge of a container that runs, or has just ended. */
  static async attach(parts: LxcGuestParts, options: CallOptions): Promise<LxcGuest> {
    const guest = new LxcGuest(parts)
    try {
      await guest.#watchInit(options)
      const { pid } = guest.#init
      if (await isFrozen(pid).catch(() => false)) guest.#phase = 'paused'
      return guest
    } catch (error) {
      await guest.release()
      throw error
    }
  }

  get phase(): GuestPhase {
    return this.#phase
  }

  get record(): GuestRecord {
    const { pid, startTicks, monitorPid } = this.#init
    const { container, init } = this.#parts
    return { container: container.name, init, initPid: pid, initStart: startTicks, monitorPid }
  }

  async info({ signal }: CallOptions): Promise<GuestInfo> {
    return this.#do('Reading the state of', signal, ({ pid }) => readGuestInfo(pid))
  }

  async shutdown(mode: ShutdownMode | undefined, options: CallOptions): Promise<void> {
    await this.#do('Shutting down', options.signal, async (init) => {
      await this.#send(init, mode, ({ halt }) => halt, options)
      this.#asked = true
    })
  }

  async reboot(mode: ShutdownMode | undefined, options: CallOptions): Promise<void> {
    await this.#do('Restarting', options.signal, async (init) => {
      const signals = await this.#send(init, mode, ({ reboot }) => reboot, options)
      // A program that is no init goes down when it is told to, and cannot come up again by itself.
      if (signals.halt === signals.reboot) this.#restartAsked = true
    })
  }

  async pause({ signal }: CallOptions): Promise<void> {
    await this.#do('Pausing', signal, ({ pid }) => setFrozen(pid, true, { signal }))
    this.#phase = 'paused'
  }

  async resume({ signal }: CallOptions): Promise<void> {
    await this.#do('Resuming', signal, ({ pid }) => setFrozen(pid, false, { signal }))
    this.#phase = 'running'
  }

  kill(): Promise<void> {
    this.#killing ??= this.#kill()
    return this.#killing
  }

  async release(): Promise<void> {
    if (this.#released) return
    this.#released = true
    this.#letGo()
    await this.#console.close()
  }

  /** See {@link ConsoleRole.openConsole}. */
  openConsole(options: ConsoleOptions): Promise<Duplex> {
    return this.#do('Opening the console of', options.signal, () =>
      this.#console.open(this.#parts.name, options),
    )
  }

  get #init(): Watched {
    if (this.#watched) return this.#watched
    throw new TypeError('A container that is not watched has no init')
  }

  /** Does `act` while the guest is there, with errors of liblxc and the system as covirt's. */
  async #do<T>(
    what: string,
    signal: AbortSignal | undefined,
    act: (init: Watched) => Promise<T>,
  ): Promise<T> {
    const { name } = this.#parts
    if (this.#ended) throw new VirError('OPERATION_INVALID', `${name} is not running`, { domain: 'LXC' })
    try {
      return await act(this.#init)
    } catch (error) {
      throw toVirError(error, `${what} ${name}`, signal)
    }
  }

  async #send(
    init: Watched,
    mode: ShutdownMode | undefined,
    choose: (signals: InitSignals) => string,
    { signal }: CallOptions,
  ): Promise<InitSignals> {
    if (mode === 'acpi' || mode === 'agent') {
      throw new VirError('ARGUMENT_UNSUPPORTED', `A container cannot be asked by '${mode}'`, {
        domain: 'LXC',
        hint: "It is sent a signal: 'signal'",
      })
    }
    const { clock, init: kind } = this.#parts
    for (let waitedMs = 0; ; waitedMs += hearingStepMs) {
      const masks = await signalMasks(init.pid)
      const signals = initSignals(kind, masks)
      const chosen = choose(signals)
      if (!masks || isHeard(chosen, masks) || waitedMs >= hearingMs) {
        init.watch.kill(signalNumber(chosen))
        return signals
      }
      await clock.sleep(hearingStepMs, { signal })
    }
  }

  /** Records come in order, and each boot has its own. */
  #heard(record: StateRecord): void {
    if (record.type === 'exit') this.#status = record.status
    else if (record.state === 'RUNNING') this.#boots()
    // A boot that failed: what counts is how the one before ended.
    else if (record.state === 'ABORTING') this.#status ??= this.#lastStatus
    else if (record.state === 'FROZEN') this.#changePhase('paused')
    else if (record.state === 'THAWED') this.#changePhase('running')
  }

  #boots(): void {
    this.#lastStatus = this.#status
    this.#status = undefined
  }

  /** Frozen or thawed by liblxc's own tools: our way makes no records. */
  #changePhase(phase: GuestPhase): void {
    if (this.#phase === phase || this.#ended) return
    this.#phase = phase
    this.#parts.sink.phaseChanged(phase)
  }

  async #watchInit(options: CallOptions): Promise<void> {
    const onExit = () => void this.#onInitExit(pid)
    const { pid, watch } = await watchInit(this.#parts.container, onExit, options)
    const identity = await processIdentity(pid)
    const { monitor, gone } = watchMonitor(identity?.parent)
    this.#watched = {
      pid,
      startTicks: identity?.startTicks ?? 0,
      watch,
      monitorPid: identity?.parent ?? 0,
      monitor,
      monitorGone: gone,
    }
    this.#phase = 'running'
  }

  async #onInitExit(pid: number): Promise<void> {
    try {
      const after = await waitAfterExit(this.#parts.container, pid, { signal: this.#over.signal })
      if (this.#released) return
      if (after.outcome === 'rebooted') await this.#rebooted()
      else await this.#stopped()
    } catch (error) {
      if (this.#released) return
      await this.#end({ kind: 'crashed', message: messageOf(error) })
    }
  }

  async #rebooted(): Promise<void> {
    this.#closeWatches()
    try {
      await this.#watchInit({ signal: this.#over.signal })
    } catch (error) {
      // It has ended again already.
      if (error instanceof LxcError && error.code === 'ESRCH') return this.#stopped()
      throw error
    }
    // A kill that came meanwhile may have met the boot before.
    if (this.#isKilled) return this.#forceStop()
    this.#asked = false
    this.#restartAsked = false
    this.#parts.sink.changed()
    this.#parts.sink.rebooted()
  }

  async #stopped(): Promise<void> {
    await this.#watched?.monitorGone
    const end: InitEnd = { status: await this.#awaitStatus(), asked: this.#asked }
    if (this.#released) return
    const restarts =
      wantsReboot(end) || (this.#restartAsked && exitOf({ ...end, asked: true }).kind === 'shutdown')
    if (restarts && !this.#isKilled) return this.#restart()
    await this.#end(exitOf(end))
  }

  /** liblxc cannot restart a container whose console is open, and never one whose process 1 is no init. */
  async #restart(): Promise<void> {
    const { container, logFile, name } = this.#parts
    await this.#console.drain()
    try {
      const signal = AbortSignal.any([this.#over.signal, this.#kills.signal])
      await start(container, { signal, logFile, logLevel: 'WARN' })
    } catch (error) {
      if (this.#released) return
      const { message } = toVirError(error, `Restarting ${name}`)
      return this.#end({ kind: 'crashed', message })
    }
    await this.#rebooted()
  }

  async #awaitStatus(): Promise<number | undefined> {
    const isMissing = () => this.#status === undefined && !this.#isKilled
    for (let waitedMs = 0; isMissing() && waitedMs < statusPatienceMs; waitedMs += statusStepMs)
      await this.#parts.clock.sleep(statusStepMs)
    return this.#status
  }

  get #isKilled(): boolean {
    return this.#kills.signal.aborted
  }

  async #kill(): Promise<void> {
    this.#kills.abort()
    if (!this.#ended) await this.#forceStop()
    // The watch on init notices, and ends the guest.
    await this.#gone
  }

  async #forceStop(): Promise<void> {
    const { container, logger, name } = this.#parts
    try {
      await stop(container, { signal: AbortSignal.timeout(stopPatienceMs) })
    } catch (error) {
      logger.warn('The monitor of a container does not stop it', { domain: name, error: messageOf(error) })
      for (const watch of [this.#watched?.watch, this.#watched?.monitor]) {
        try {
          watch?.kill(sigkill)
        } catch {
          // It has ended meanwhile.
        }
      }
    }
  }

  async #end(exit: GuestExit): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    const { container, sink, logger, name } = this.#parts
    this.#letGo()
    await this.#console.drain()
    const links = this.document.devices.interfaces.map((_, index) => hostLinkName(this.document, index))
    try {
      await removeLeftovers(container, links)
    } catch (error) {
      logger.warn('Something of a container is left', { domain: name, error: messageOf(error) })
    }
    this.#setGone()
    sink.exited(this.#isKilled ? { kind: 'killed' } : exit)
  }

  #letGo(): void {
    this.#over.abort()
    this.#unsubscribe()
    this.#closeWatches()
  }

  #closeWatches(): void {
    this.#watched?.watch.close()
    this.#watched?.monitor?.close()
  }
}

/** A monitor that is gone already counts as one that has ended. */
function watchMonitor(pid: number | undefined): {
  readonly monitor: PidfdWatch | undefined
  readonly gone: Promise<void>
} {
  let resolve: () => void = () => {}
  const gone = new Promise<void>((done) => {
    resolve = done
  })
  try {
    if (pid !== undefined && pid > 1) return { monitor: watchPidfd(pid, resolve), gone }
  } catch {
    // It has ended.
  }
  resolve()
  return { monitor: undefined, gone }
}
