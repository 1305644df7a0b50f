import { existsSync, rmSync, writeFileSync } from 'node:fs'
import {
  type AddressOptions,
  type CallOptions,
  type Clock,
  type ConsoleOptions,
  type ConsoleStream,
  type DomainStatistics,
  type ExecOptions,
  type ExecProcess,
  type GuestInterface,
  type GuestProcess,
  type Logger,
  messageOf,
  type ShutdownMode,
  type StatisticsOptions,
  VirError,
} from '@covirt/core'
import type {
  Guest,
  GuestExit,
  GuestInfo,
  GuestLimits,
  GuestPhase,
  GuestRecord,
  GuestSink,
} from '@covirt/local'
import type { DomainDevice, DomainXml } from '@covirt/xml'
import { hostLinkName } from '../config/network.js'
import { endContainer } from '../host/end-container.js'
import { type InitKind, type InitSignals, initSignals } from '../host/init-kind.js'
import { clearUp } from '../host/leftovers.js'
import { toVirError } from '../lxc-errors.js'
import {
  type Container,
  interfaces,
  isFrozen,
  LxcError,
  type Started,
  type StateRecord,
  setFrozen,
  stop,
  waitAfterExit,
} from '../native.js'
import { commandInit } from './command-init.js'
import { ConsoleSlot } from './console-slot.js'
import { exitOf, type InitEnd, wantsReboot } from './exit-reason.js'
import { ExitStatus } from './exit-status.js'
import { readGuestInfo } from './guest-info.js'
import { GuestPrograms } from './guest-programs.js'
import { readStatistics } from './guest-statistics.js'
import { listProcesses } from './list-processes.js'
import type { LiveChanges } from './live-changes.js'
import { signalInit } from './signal-init.js'
import type { StateHub } from './state-hub.js'
import { hasEnded, type WatchedInit, watchContainer } from './watched-init.js'

/** What a guest is made of. */
export interface LxcGuestParts {
  readonly name: string
  readonly container: Container
  readonly changes: LiveChanges
  readonly init: InitKind
  /** The first of the ids of its own, where it has such. */
  readonly firstId: number | undefined
  /** Starts its container, also again. */
  readonly start: (options: BootOptions) => Promise<Started>
  readonly states: StateHub
  readonly sink: GuestSink
  readonly clock: Clock
  readonly logger: Logger
  /** It is liblxc's tools' own: nothing of it is removed here. */
  readonly isForeign?: boolean
  /** It is there while the container is frozen for a moment only. */
  readonly holdFile: string
  /** Where its images of other formats are shown as raw ones. */
  readonly imagesDirectory: string
  /** What its console has printed. */
  readonly consoleLog: string
}

/** How a container is started. */
export interface BootOptions extends CallOptions {
  /** Held before its first instruction. */
  readonly paused?: boolean
}

/** How a container is found. */
interface AttachOptions extends CallOptions {
  /** It has been started at this moment, and so. */
  readonly started?: { readonly initPid: number; readonly paused: boolean } | undefined
  /** What was recorded of it last. */
  readonly record?: GuestRecord | undefined
}

/** How long a monitor may take to clear up after its container before it is ended, too. */
const clearingMs = 60_000
/** Of what fails because the container ends meanwhile. */
const endCodes: ReadonlySet<string> = new Set(['OPERATION_FAILED', 'OPERATION_INVALID'])

/** A container that runs. */
export class LxcGuest implements Guest {
  readonly #parts: LxcGuestParts
  readonly #console: ConsoleSlot
  readonly #programs: GuestPrograms
  readonly #unsubscribe: () => void
  /** Fires when the guest is let go of, or is gone. */
  readonly #over = new AbortController()
  /** Fires when it is killed: it is not started again then. */
  readonly #kills = new AbortController()
  readonly #gone: Promise<void>
  #setGone: () => void = () => {}
  #watched: WatchedInit | undefined
  #phase: GuestPhase = 'running'
  readonly #status = new ExitStatus()
  #asked = false
  #restartAsked = false
  #released = false
  #ended = false
  #endTold = false
  #killing: Promise<void> | undefined

  private constructor(parts: LxcGuestParts) {
    this.#parts = parts
    this.#console = new ConsoleSlot(parts)
    this.#programs = new GuestPrograms(parts)
    this.#gone = new Promise((resolve) => {
      this.#setGone = resolve
    })
    this.#unsubscribe = parts.states.subscribe(parts.container.name, (record) => this.#heard(record))
  }

  /** Takes charge of a container that runs, or has just ended. */
  static async attach(parts: LxcGuestParts, { started, record, signal }: AttachOptions): Promise<LxcGuest> {
    const guest = new LxcGuest(parts)
    try {
      await guest.#watchInit({ startedPid: started?.initPid, signal })
      if (existsSync(parts.holdFile)) {
        await setFrozen(guest.#init.pid, false)
        rmSync(parts.holdFile, { force: true })
      }
      const { pid, startTicks } = guest.#init
      // With the init that it had it is as it was left.
      const isKnown = record?.initPid === pid && record.initStart === startTicks
      if (started) await parts.changes.learnLinks()
      else if (!isKnown) await parts.changes.settle(pid)
      const isPaused = started?.paused ?? (await isFrozen(guest.#init.pid).catch(() => false))
      if (isPaused) guest.#phase = 'paused'
      return guest
    } catch (error) {
      await guest.release()
      throw error
    }
  }

  get document(): DomainXml {
    return this.#parts.changes.document
  }

  get container(): Container {
    return this.#parts.container
  }

  get phase(): GuestPhase {
    return this.#phase
  }

  get record(): GuestRecord {
    const { pid, startTicks, monitorPid, monitorStart } = this.#init
    const { container, init, firstId, changes } = this.#parts
    return {
      container: container.name,
      init,
      initPid: pid,
      initStart: startTicks,
      monitorPid,
      monitorStart,
      ...(firstId === undefined ? {} : { firstId }),
      changes: changes.record,
    }
  }

  async info({ signal }: CallOptions): Promise<GuestInfo> {
    return this.#do('Reading the state of', signal, ({ pid }) => readGuestInfo(pid))
  }

  /** As the role `statistics` promises. */
  async statistics({ parts, signal }: StatisticsOptions): Promise<DomainStatistics> {
    const { document } = this
    return this.#do('Counting what is used by', signal, ({ pid: initPid }) =>
      readStatistics({ document, initPid }, parts),
    )
  }

  async shutdown(mode: ShutdownMode | undefined, options: CallOptions): Promise<void> {
    await this.#do('Shutting down', options.signal, async (init) => {
      await this.#ask(init, 'halt', mode, options)
      this.#asked = true
    })
  }

  async reboot(mode: ShutdownMode | undefined, options: CallOptions): Promise<void> {
    await this.#do('Restarting', options.signal, async (init) => {
      const signals = await this.#ask(init, 'reboot', mode, options)
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

  /**
   * Does `act` while no process in it runs, and lets it go on then, if it was running. Where this process dies meanwhile
   * the next one to find the container lets it go on.
   */
  async hold(act: () => Promise<void>): Promise<void> {
    if (this.#phase !== 'running') return act()
    await this.#do('Holding', undefined, async ({ pid }) => {
      writeFileSync(this.#parts.holdFile, '')
      try {
        await setFrozen(pid, true)
        await act()
      } finally {
        await setFrozen(pid, false)
        rmSync(this.#parts.holdFile, { force: true })
      }
    })
  }

  async attachDevice(device: DomainDevice, { signal }: CallOptions): Promise<void> {
    await this.#do('Attaching a device to', signal, () => this.#parts.changes.attach(device, { signal }))
  }

  async detachDevice(device: DomainDevice, { signal }: CallOptions): Promise<void> {
    await this.#do('Detaching a device from', signal, () => this.#parts.changes.detach(device))
  }

  async updateDevice(device: DomainDevice, to: DomainDevice, { signal }: CallOptions): Promise<void> {
    await this.#do('Changing a device of', signal, () => this.#parts.changes.update(device, to, { signal }))
  }

  async tune(limits: GuestLimits, { signal }: CallOptions): Promise<void> {
    await this.#do('Changing the limits of', signal, ({ pid }) => this.#parts.changes.tune(pid, limits))
  }

  kill(): Promise<void> {
    this.#killing ??= this.#kill()
    return this.#killing
  }

  async release(): Promise<void> {
    if (this.#released) return
    this.#released = true
    this.#letGo()
    this.#programs.release()
    await this.#console.close()
  }

  /** See {@link ConsoleRole.openConsole}. */
  openConsole(options: ConsoleOptions): Promise<ConsoleStream> {
    return this.#do('Opening the console of', options.signal, () => this.#console.open(options))
  }

  /** See {@link ExecRole.exec}. */
  exec(argv: readonly string[], options: ExecOptions): Promise<ExecProcess> {
    return this.#do('Running a program in', options.signal, ({ pid }) => {
      if (this.#phase === 'running') return this.#programs.run(pid, argv, options)
      throw new VirError('OPERATION_INVALID', `${this.#parts.name} is ${this.#phase} and runs nothing`, {
        domain: 'LXC',
      })
    })
  }

  /** See {@link ProcessesRole.listProcesses}. */
  listProcesses({ signal }: CallOptions): Promise<readonly GuestProcess[]> {
    return this.#do('Listing the processes of', signal, ({ pid }) => listProcesses(pid))
  }

  /** See {@link AddressesRole.listInterfaceAddresses}. */
  listInterfaceAddresses({ source, signal }: AddressOptions): Promise<readonly GuestInterface[]> {
    return this.#do('Reading the addresses of', signal, () => {
      if (source === undefined || source === 'guest') return interfaces(this.#parts.container, { signal })
      throw new VirError('ARGUMENT_UNSUPPORTED', `The addresses of containers are not asked of '${source}'`, {
        domain: 'LXC',
        hint: "Their source is 'guest'",
      })
    })
  }

  get #init(): WatchedInit {
    if (this.#watched) return this.#watched
    throw new TypeError('A container that is not watched has no init')
  }

  /** Does `act` while the guest is there, with errors of liblxc and the system as covirt's. */
  async #do<T>(
    what: string,
    signal: AbortSignal | undefined,
    act: (init: WatchedInit) => Promise<T>,
  ): Promise<T> {
    const { name } = this.#parts
    if (this.#ended) throw notRunning(name)
    const init = this.#init
    try {
      return await act(init)
    } catch (error) {
      const failure = toVirError(error, `${what} ${name}`, signal)
      // What fails then fails in any way: no memory for a process in a dead namespace, files that have gone, no such process.
      if (endCodes.has(failure.code) && hasEnded(init)) throw notRunning(name, error)
      throw failure
    }
  }

  async #ask(
    init: WatchedInit,
    wish: keyof InitSignals,
    mode: ShutdownMode | undefined,
    { signal }: CallOptions,
  ): Promise<InitSignals> {
    const { clock, container, init: kind } = this.#parts
    if (mode === undefined || mode === 'initctl') {
      const heard = await commandInit(container, { kind, wish, clock, signal })
      // A request to go down is repeated until it is acted on.
      if (heard === 'told' || (heard === 'unheard' && wish === 'halt')) return initSignals(kind)
    }
    return signalInit(init, { kind, wish, mode, clock, signal })
  }

  #heard(record: StateRecord): void {
    this.#status.hear(record)
    if (record.type !== 'state') return
    if (record.state === 'FROZEN') this.#changePhase('paused')
    if (record.state === 'THAWED') this.#changePhase('running')
  }

  /** Frozen or thawed by liblxc's own tools: our way makes no records. */
  #changePhase(phase: GuestPhase): void {
    if (this.#phase === phase || this.#ended) return
    this.#phase = phase
    this.#parts.sink.phaseChanged(phase)
  }

  async #watchInit(options: CallOptions & { readonly startedPid?: number | undefined }): Promise<void> {
    const onExit = () => void this.#onInitExit(watched.pid)
    const watched = await watchContainer(this.#parts.container, onExit, options)
    this.#watched = watched
    this.#phase = 'running'
  }

  async #onInitExit(pid: number): Promise<void> {
    try {
      const settled = new AbortController()
      const [after] = await Promise.all([
        waitAfterExit(this.#parts.container, pid, { signal: this.#over.signal }).finally(() =>
          settled.abort(),
        ),
        this.#tellEnd(settled.signal),
      ])
      if (this.#released) return
      if (after.outcome === 'rebooted') await this.#rebooted()
      else await this.#stopped()
    } catch (error) {
      if (this.#released) return
      await this.#end({ kind: 'crashed', message: messageOf(error) })
    }
  }

  /**
   * Init has gone, and with it all processes of its namespace. Tells of that where it is sure not to come again, but not to who
   * kills it, and waits for more.
   */
  async #tellEnd(settled: AbortSignal): Promise<void> {
    const end = await this.#howItEnded(settled)
    if (this.#released || this.#ended || this.#isKilled) return
    if (end.status === undefined || this.#wantsRestart(end)) return
    this.#endTold = true
    this.#parts.sink.ended(exitOf(end))
  }

  async #howItEnded(settled?: AbortSignal): Promise<InitEnd> {
    const pointless = settled ? AbortSignal.any([settled, this.#kills.signal]) : this.#kills.signal
    const status = await this.#status.told(this.#parts.clock, pointless)
    return { status, asked: this.#asked }
  }

  #wantsRestart(end: InitEnd): boolean {
    return wantsReboot(end) || (this.#restartAsked && exitOf({ ...end, asked: true }).kind === 'shutdown')
  }

  async #rebooted(): Promise<void> {
    this.#programs.end()
    const before = this.#watched
    try {
      await this.#watchInit({ signal: this.#over.signal })
      before?.[Symbol.dispose]()
    } catch (error) {
      // It has ended again already, and its monitor, which is watched still, does so.
      if (error instanceof LxcError && error.code === 'ESRCH') return this.#stopped()
      throw error
    }
    // A kill that came meanwhile may have met the boot before.
    if (this.#isKilled) return this.#endContainer()
    await this.#parts.changes.settle(this.#init.pid)
    this.#asked = false
    this.#restartAsked = false
    await this.#console.reattach().catch((error: unknown) => {
      const { logger, name } = this.#parts
      logger.warn('The console of a restarted container cannot be opened', {
        domain: name,
        error: messageOf(error),
      })
    })
    this.#parts.sink.changed()
    this.#parts.sink.rebooted()
  }

  async #stopped(): Promise<void> {
    await this.#watched?.monitorGone
    const end = await this.#howItEnded()
    if (this.#released) return
    if (this.#wantsRestart(end) && !this.#isKilled && !this.#endTold) return this.#restart()
    await this.#end(exitOf(end))
  }

  /** liblxc cannot restart a container whose console is open, and never one whose process 1 is no init. */
  async #restart(): Promise<void> {
    const { name } = this.#parts
    this.#programs.end()
    await this.#console.drain({ restarts: true })
    this.#status.forget()
    try {
      await this.#parts.start({ signal: AbortSignal.any([this.#over.signal, this.#kills.signal]) })
    } catch (error) {
      if (this.#released) return
      const { message } = toVirError(error, `Restarting ${name}`)
      return this.#end({ kind: 'crashed', message })
    }
    await this.#rebooted()
  }

  get #isKilled(): boolean {
    return this.#kills.signal.aborted
  }

  async #kill(): Promise<void> {
    this.#kills.abort()
    // Its monitor clears up, which hooks of the container may make slow.
    if (this.#endTold) await this.#freedSoon()
    if (!this.#ended) await this.#endContainer()
    // The watch on init notices, and ends the guest.
    await this.#gone
  }

  async #freedSoon(): Promise<void> {
    const freed = new AbortController()
    void this.#gone.then(() => freed.abort())
    await this.#parts.clock.sleep(clearingMs, { signal: freed.signal }).catch(() => {})
  }

  /** Of a foreign one the control groups may have the names of another's. */
  #endContainer(): Promise<void> {
    const { container, logger, isForeign } = this.#parts
    return isForeign ? stop(container) : endContainer(container, logger)
  }

  async #end(exit: GuestExit): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    const { container, sink, logger, isForeign, imagesDirectory } = this.#parts
    this.#letGo()
    this.#programs.end()
    await this.#console.drain({ restarts: false })
    const links = this.document.devices.interfaces.map((_, index) => hostLinkName(this.document, index))
    if (!isForeign) await clearUp(container, { links, imagesDirectory }, logger)
    this.#setGone()
    sink.exited(this.#isKilled ? { kind: 'killed' } : exit)
  }

  #letGo(): void {
    this.#over.abort()
    this.#unsubscribe()
    this.#watched?.[Symbol.dispose]()
  }
}

function notRunning(name: string, cause?: unknown): VirError {
  return new VirError('OPERATION_INVALID', `${name} is not running`, { domain: 'LXC', cause })
}
