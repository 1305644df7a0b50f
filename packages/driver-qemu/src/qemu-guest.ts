import type { Duplex } from 'node:stream'
import {
  type AddressOptions,
  type AgentOptions,
  abortable,
  type CallOptions,
  type Clock,
  type ConsoleOptions,
  type GuestInterface,
  isVirError,
  type Logger,
  messageOf,
  type ShutdownMode,
  VirError,
} from '@covirt/core'
import type { Guest, GuestInfo, GuestPhase, GuestRecord, GuestSink } from '@covirt/local'
import type { DomainXml } from '@covirt/xml'
import { unresponsive } from './agent/agent-channel.js'
import { agentRequest } from './agent/agent-codec.js'
import { parseInterfaces } from './agent/agent-interfaces.js'
import { GuestAgent } from './agent/guest-agent.js'
import type { GuestPlan } from './command-line/guest-plan.js'
import { ConsoleDesk } from './console/console-desk.js'
import { exitOf } from './guest-exit.js'
import { removeSockets } from './guest-sockets.js'
import { phaseOf, queryRunState } from './guest-status.js'
import { readProcessStat } from './process/process-identity.js'
import type { QemuProcess } from './process/qemu-process.js'
import { connectUnix } from './process/unix-socket.js'
import { fromQmp } from './qemu-errors.js'
import type { QmpChannel } from './qmp/qmp-channel.js'
import { QmpClosedError, QmpError } from './qmp/qmp-error.js'
import type { JsonObject, QmpEvent } from './qmp/qmp-message.js'
import { writeState } from './saving/state-stream.js'
import { SinkGate } from './sink-gate.js'
import { onShutdown, startAnew } from './start-anew.js'

/** What a running guest is made of. */
export interface QemuGuestParts {
  /** Live: with aliases and ports. */
  readonly document: DomainXml
  readonly plan: GuestPlan
  readonly process: QemuProcess
  readonly monitor: QmpChannel
  readonly runDirectory: string
  readonly phase: GuestPhase
  readonly memoryKib: number
  readonly agentConnected: boolean
  /** Whether it is to be started again when it goes down, as far as an earlier process has noted. */
  readonly restartAsked: boolean
  readonly sink: GuestSink
  readonly clock: Clock
  readonly logger: Logger
}

/** What the roles of a guest work with. */
export interface GuestHandle {
  /** Live. */
  readonly document: DomainXml
  readonly plan: GuestPlan
  readonly monitor: QmpChannel
  readonly runDirectory: string
  readonly pid: number
}

/** How long QEMU may take to end when asked to, and to be gone once its monitor is. */
const quitTimeoutMs = 1000
const exitTimeoutMs = 5000
/** How long a QEMU may take to end that has shut down, while it owes an answer. */
const shutdownTimeoutMs = 3000
/** How long an agent may take, where nobody says. */
const agentTimeoutMs = 5000

/** A virtual machine that runs in a QEMU process of its own. */
export class QemuGuest implements Guest {
  readonly document: DomainXml
  readonly #parts: QemuGuestParts
  readonly #gate: SinkGate
  readonly #consoles: ConsoleDesk
  readonly #agent: GuestAgent | undefined
  readonly #gone: Promise<void>
  #markGone: () => void = () => {}
  #phase: GuestPhase
  /** Grows with all that may change the phase, so that an answer from before is not believed. */
  #phaseAge = 0
  #memoryKib: number
  /**
   * `asked`: the guest is to go down and to be started again; `underway`: it is down, and is being started. That a
   * guest which is down waits for its restart is known from QEMU alone: this may have missed what was asked.
   */
  #restart: 'no' | 'asked' | 'underway'
  #shutdownCause: string | undefined
  /** Fires when a QEMU that has shut down has ended, or has been started anew. */
  #ending: AbortController | undefined
  #onReset: (() => void)[] = []
  #killed: Promise<void> | undefined
  #released = false

  constructor(parts: QemuGuestParts) {
    this.#parts = parts
    this.document = parts.document
    this.#restart = parts.restartAsked ? 'asked' : 'no'
    this.#gate = new SinkGate(parts.sink)
    this.#phase = parts.phase
    this.#memoryKib = parts.memoryKib
    this.#gone = new Promise((resolve) => {
      this.#markGone = resolve
    })
    const connect = (name: string) => connectUnix(parts.runDirectory, name)
    this.#consoles = new ConsoleDesk(parts.plan.consoles, connect, parts.clock)
    const line = parts.plan.agent
    this.#agent = line && new GuestAgent(() => connect(line.socket), parts.clock)
    if (this.#agent) this.#agent.connected = parts.agentConnected
    parts.monitor.listen({
      event: (event) => this.#happened(event),
      closed: () => this.#ended(),
    })
    this.#gate.openSoon()
  }

  get phase(): GuestPhase {
    return this.#phase
  }

  /** `restart` is there from when the power button was asked to restart the guest until it has restarted. */
  get record(): GuestRecord {
    return { ...this.#parts.process.identity, ...(this.#restart !== 'no' && { restart: true }) }
  }

  async info(): Promise<GuestInfo> {
    const stat = await readProcessStat(this.#parts.process.identity.pid)
    if (!stat) throw new VirError('OPERATION_INVALID', 'The guest has gone', { domain: 'QEMU' })
    return { memoryKib: this.#memoryKib, cpuTimeNs: stat.cpuTimeNs }
  }

  shutdown(mode: ShutdownMode | undefined, options: CallOptions): Promise<void> {
    return this.#ask(mode, 'powerdown', options)
  }

  /**
   * By agent, the guest restarts by itself. By `acpi` it only goes down, and it takes a process of ours to start it
   * anew: where there is none at that moment, its QEMU keeps it down until the next one adopts it.
   */
  reboot(mode: ShutdownMode | undefined, options: CallOptions): Promise<void> {
    return this.#ask(mode, 'reboot', options)
  }

  pause(options: CallOptions): Promise<void> {
    return this.#order('paused', 'stop', 'cont', options)
  }

  resume(options: CallOptions): Promise<void> {
    return this.#order('running', 'cont', 'stop', options)
  }

  async save(
    write: (state: AsyncIterable<Uint8Array>) => Promise<void>,
    options: CallOptions,
  ): Promise<void> {
    const goesOn = this.#phase === 'running'
    if (goesOn) await this.pause(options)
    try {
      await writeState(this.#parts, write, options)
    } catch (error) {
      if (goesOn) await this.resume({}).catch(() => {})
      throw error instanceof QmpError || error instanceof QmpClosedError ? fromQmp('Saving', error) : error
    }
  }

  kill(): Promise<void> {
    this.#killed ??= this.#kill()
    return this.#killed
  }

  async release(): Promise<void> {
    this.#released = true
    this.#gate.close()
    await this.#letGo()
    this.#parts.monitor.close()
    this.#parts.process.release()
  }

  /** Presses the reset button; resolves when the guest has been reset. */
  async reset(options: CallOptions): Promise<void> {
    const done = new Promise<void>((resolve) => this.#onReset.push(resolve))
    await this.#execute('Resetting', 'system_reset', {}, options)
    await abortable(done, options.signal)
  }

  /** Does what a role asks for; what QEMU refuses is told as the failure of `doing`. */
  async use<T>(doing: string, action: (guest: GuestHandle) => Promise<T>): Promise<T> {
    const { plan, monitor, runDirectory, process } = this.#parts
    const { document } = this
    try {
      return await action({ document, plan, monitor, runDirectory, pid: process.identity.pid })
    } catch (error) {
      throw fromQmp(doing, error)
    }
  }

  openConsole(options: ConsoleOptions): Promise<Duplex> {
    return this.#consoles.open(options)
  }

  /** As the guest-agent role promises. */
  async agentCommand(command: string, options: AgentOptions): Promise<string> {
    const request = agentRequest(command)
    if (this.#phase !== 'running')
      throw new VirError('OPERATION_INVALID', `The guest is ${this.#phase}: its agent cannot answer`, {
        domain: 'QEMU',
      })
    if (!this.#agent) throw unresponsive('absent')
    return this.#agent.command(request, options.timeoutMs ?? agentTimeoutMs, options)
  }

  /** As the addresses role promises. */
  async listInterfaceAddresses({ source, signal }: AddressOptions): Promise<readonly GuestInterface[]> {
    if (source !== undefined && source !== 'agent')
      throw new VirError('ARGUMENT_UNSUPPORTED', `The addresses of machines are not asked of '${source}'`, {
        domain: 'QEMU',
        hint: "Their source is 'agent'",
      })
    return parseInterfaces(await this.agentCommand('{"execute":"guest-network-get-interfaces"}', { signal }))
  }

  async #ask(
    mode: ShutdownMode | undefined,
    what: 'powerdown' | 'reboot',
    options: CallOptions,
  ): Promise<void> {
    if (mode !== undefined && mode !== 'acpi' && mode !== 'agent')
      throw new VirError('ARGUMENT_UNSUPPORTED', `The QEMU driver has no shutdown mode '${mode}'`, {
        domain: 'QEMU',
        hint: "Known are 'acpi' and 'agent'",
      })
    if (mode === 'acpi') return this.#pressPowerButton(what, options)
    if (mode === 'agent' && !this.#agent) throw unresponsive('absent')
    try {
      if (this.#agent && (mode === 'agent' || this.#agent.connected)) {
        if (what === 'powerdown') await this.#restartOnShutdown(false, options)
        return await this.#agent.shutdown(what, options)
      }
    } catch (error) {
      if (mode === 'agent' || !isVirError(error, 'AGENT_UNRESPONSIVE')) throw error
      this.#parts.logger.debug('The guest agent is silent: pressing the power button instead')
    }
    return this.#pressPowerButton(what, options)
  }

  async #pressPowerButton(what: 'powerdown' | 'reboot', options: CallOptions): Promise<void> {
    const goesOff = () => what === 'powerdown' && this.#shutdownCause !== undefined && this.#restart === 'no'
    // A QEMU that ends may be kept from it by a command.
    if (goesOff()) return
    await this.#restartOnShutdown(what === 'reboot', options)
    if (goesOff()) return
    await this.#execute('Pressing the power button', 'system_powerdown', {}, options)
  }

  /**
   * A power button can only ask a guest to go down. For a restart QEMU is told to stay when it does, and to wait
   * for being reset. QEMU is told each time: another process may have told it otherwise.
   */
  async #restartOnShutdown(restart: boolean, options: CallOptions): Promise<void> {
    if (this.#restart !== 'underway') this.#noteRestart(restart ? 'asked' : 'no')
    await this.#attempt('Preparing', () =>
      onShutdown(this.#parts.monitor, restart ? 'pause' : 'poweroff', options),
    )
  }

  /** Starts a guest anew that has gone down to be restarted. */
  async #startAnew(): Promise<void> {
    this.#noteRestart('underway')
    this.#phaseAge++
    try {
      await startAnew(this.#parts.monitor, { paused: this.#phase === 'paused' })
    } catch (error) {
      this.#parts.logger.warn('A guest could not be restarted', { error: messageOf(error) })
    }
    this.#noteRestart('no')
    await this.#refreshPhase()
  }

  #noteRestart(restart: 'no' | 'asked' | 'underway'): void {
    const isNews = (this.#restart === 'no') !== (restart === 'no')
    this.#restart = restart
    if (isNews) this.#gate.tell((sink) => sink.changed())
  }

  async #order(phase: GuestPhase, command: string, opposite: string, options: CallOptions): Promise<void> {
    const before = this.#phase
    this.#phaseAge++
    this.#phase = phase
    try {
      await this.#execute(phase === 'paused' ? 'Pausing' : 'Resuming', command, {}, options)
    } catch (error) {
      this.#phase = before
      // It was sent all the same; QEMU obeys in order.
      if (isVirError(error, 'OPERATION_ABORTED')) void this.#parts.monitor.execute(opposite).catch(() => {})
      throw error
    }
  }

  #happened({ name, data }: QmpEvent): void {
    switch (name) {
      case 'SHUTDOWN':
        this.#shutdownCause = String(data.reason)
        this.#ending?.abort()
        this.#ending = new AbortController()
        void this.#endInTime(this.#ending.signal)
        return
      case 'RESET':
        this.#shutdownCause = undefined
        this.#ending?.abort()
        // A restart of any kind is the one that was asked for: a later power-off is none.
        if (this.#restart === 'asked') void this.#restartOnShutdown(false, {}).catch(() => {})
        this.#gate.tell((sink) => sink.rebooted())
        for (const tell of this.#onReset.splice(0)) tell()
        void this.#refreshPhase()
        return
      case 'STOP':
      case 'RESUME':
      case 'GUEST_PANICKED':
        void this.#refreshPhase()
        return
      case 'BALLOON_CHANGE':
        this.#memoryKib = Math.round(Number(data.actual) / 1024)
        return
      case 'VSERPORT_CHANGE':
        this.#portChanged(data)
    }
  }

  #portChanged({ id, open }: JsonObject): void {
    const agent = this.#agent
    if (!agent || id !== this.#parts.plan.agent?.alias || agent.connected === open) return
    agent.connected = open === true
    this.#gate.tell((sink) => sink.agentChanged(open === true ? 'connected' : 'disconnected'))
  }

  async #refreshPhase(): Promise<void> {
    const age = ++this.#phaseAge
    const state = await queryRunState(this.#parts.monitor).catch(() => undefined)
    if (state === undefined || this.#restart === 'underway') return
    // Only a guest that is to be restarted is kept when it goes down.
    if (state === 'shutdown') return this.#startAnew()
    if (age !== this.#phaseAge) return
    const phase = phaseOf(state)
    if (phase === this.#phase) return
    this.#phase = phase
    this.#gate.tell((sink) => sink.phaseChanged(phase))
  }

  /**
   * QEMU (7.2 at least) waits for itself for ever where a command comes while it ends. By then it has closed its
   * disks, and what the guest wanted to be kept it had flushed before it went down.
   */
  async #endInTime(ended: AbortSignal): Promise<void> {
    const { clock, monitor, process, logger } = this.#parts
    await clock.sleep(shutdownTimeoutMs, { signal: ended }).catch(() => {})
    if (ended.aborted || !monitor.waits) return
    logger.warn('A QEMU whose guest has shut down does not end: it is killed', { pid: process.identity.pid })
    await process.kill(clock)
  }

  async #kill(): Promise<void> {
    const { monitor, process, clock } = this.#parts
    // A clean end leaves nothing unwritten; a QEMU that hangs does not hear of it.
    void monitor.execute('quit').catch(() => {})
    if (!(await process.waitForEnd(clock, quitTimeoutMs))) await process.kill(clock)
    await this.#gone
  }

  #ended(): void {
    if (!this.#released) void this.#bury().finally(this.#markGone)
  }

  async #bury(): Promise<void> {
    const { process, clock, plan, runDirectory } = this.#parts
    const end = await process.waitForEnd(clock, exitTimeoutMs)
    if (!end) await process.kill(clock)
    await this.#letGo()
    await removeSockets(runDirectory, plan).catch((error: unknown) => {
      this.#parts.logger.warn('The sockets of a guest could not be removed', { error: messageOf(error) })
    })
    const lastWords = await process.lastWords()
    const killed = this.#killed !== undefined
    const exit = exitOf({ cause: this.#shutdownCause, killed, end: end ?? {}, lastWords })
    for (const tell of this.#onReset.splice(0)) tell()
    this.#gate.tell((sink) => sink.exited(exit))
  }

  async #letGo(): Promise<void> {
    this.#ending?.abort()
    this.#agent?.close()
    await this.#consoles.close()
  }

  async #execute(
    doing: string,
    command: string,
    args: JsonObject,
    options: CallOptions = {},
  ): Promise<unknown> {
    return this.#attempt(doing, () => this.#parts.monitor.execute(command, args, options))
  }

  async #attempt(doing: string, what: () => Promise<unknown>): Promise<unknown> {
    try {
      return await what()
    } catch (error) {
      throw fromQmp(doing, error)
    }
  }
}
