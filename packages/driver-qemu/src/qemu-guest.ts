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
import type { Guest, GuestInfo, GuestLimits, GuestPhase, GuestRecord, GuestSink } from '@covirt/local'
import type { DeviceKind, DomainDevice, DomainXml } from '@covirt/xml'
import { unresponsive } from './agent/agent-channel.js'
import { agentRequest } from './agent/agent-codec.js'
import { parseInterfaces } from './agent/agent-interfaces.js'
import { GuestAgent } from './agent/guest-agent.js'
import type { GuestPlan } from './command-line/guest-plan.js'
import { ConsoleDesk } from './console/console-desk.js'
import { exitOf } from './guest-exit.js'
import { removeSockets } from './guest-sockets.js'
import { phaseOf, queryRunState } from './guest-status.js'
import { LiveDevices } from './hotplug/live-devices.js'
import { withPciPlaces } from './hotplug/pci-layout.js'
import { tune } from './hotplug/tune.js'
import { PowerControl } from './power-control.js'
import { readProcessStat } from './process/process-identity.js'
import type { QemuProcess } from './process/qemu-process.js'
import { connectUnix } from './process/unix-socket.js'
import { fromQmp } from './qemu-errors.js'
import type { QmpChannel } from './qmp/qmp-channel.js'
import { QmpClosedError, QmpError } from './qmp/qmp-error.js'
import type { JsonObject, QmpEvent } from './qmp/qmp-message.js'
import { writeState } from './saving/state-stream.js'
import { SinkGate } from './sink-gate.js'

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
  /** The kinds of devices that have changed since the guest was launched. */
  readonly changed: readonly DeviceKind[]
  /** The aliases of devices that the guest has let go of while nobody listened. */
  readonly gone: readonly string[]
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
  readonly clock: Clock
}

/** How long QEMU may take to end when asked to, and to be gone once its monitor is. */
const quitTimeoutMs = 1000
const exitTimeoutMs = 5000
/** How long a QEMU may take to end that has shut down, while it owes an answer. */
const shutdownTimeoutMs = 3000
/** How long an agent may take, where nobody says. */
const agentTimeoutMs = 5000

/** In these run states is a guest for the moment that a snapshot takes. */
const inSnapshot: readonly string[] = ['save-vm', 'restore-vm']

/** A virtual machine that runs in a QEMU process of its own. */
export class QemuGuest implements Guest {
  readonly #parts: QemuGuestParts
  readonly #devices: LiveDevices
  readonly #power: PowerControl
  readonly #gate: SinkGate
  readonly #consoles: ConsoleDesk
  readonly #agent: GuestAgent | undefined
  readonly #gone: Promise<void>
  #markGone: () => void = () => {}
  #phase: GuestPhase
  /** Grows with all that may change the phase, so that an answer from before is not believed. */
  #phaseAge = 0
  #memoryKib: number
  /** Fires when a QEMU that has shut down has ended, or has been started anew. */
  #ending: AbortController | undefined
  #onReset: (() => void)[] = []
  #killed: Promise<void> | undefined
  #released = false

  constructor(parts: QemuGuestParts) {
    this.#parts = parts
    this.#gate = new SinkGate(parts.sink)
    this.#devices = new LiveDevices({
      ...parts,
      onGone: (kind) => this.#gate.tell((sink) => sink.devicesChanged(kind)),
    })
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
    this.#power = new PowerControl({
      ...parts,
      agent: this.#agent,
      onChange: () => this.#gate.tell((sink) => sink.changed()),
    })
    parts.monitor.listen({
      event: (event) => this.#happened(event),
      closed: () => this.#ended(),
    })
    for (const alias of parts.gone) this.#devices.deleted(alias)
    this.#gate.openSoon()
  }

  get document(): DomainXml {
    return this.#devices.document
  }

  get phase(): GuestPhase {
    return this.#phase
  }

  /**
   * `restart` is there from when the power button was asked to restart the guest until it has restarted; `changed` has
   * the kinds of devices that have changed since the launch, and keep their aliases.
   */
  get record(): GuestRecord {
    const { changed } = this.#devices
    return {
      ...this.#parts.process.identity,
      ...(this.#power.restarts && { restart: true }),
      ...(changed.length > 0 && { changed: changed.join(' ') }),
    }
  }

  async info(): Promise<GuestInfo> {
    const stat = await readProcessStat(this.#parts.process.identity.pid)
    if (!stat) throw new VirError('OPERATION_INVALID', 'The guest has gone', { domain: 'QEMU' })
    return { memoryKib: this.#memoryKib, cpuTimeNs: stat.cpuTimeNs }
  }

  shutdown(mode: ShutdownMode | undefined, options: CallOptions): Promise<void> {
    return this.#power.ask(mode, 'powerdown', options)
  }

  /**
   * By agent, the guest restarts by itself. By `acpi` it only goes down, and it takes a process of ours to start it
   * anew: where there is none at that moment, its QEMU keeps it down until the next one adopts it.
   */
  reboot(mode: ShutdownMode | undefined, options: CallOptions): Promise<void> {
    return this.#power.ask(mode, 'reboot', options)
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

  attachDevice(device: DomainDevice, options: CallOptions): Promise<void> {
    return this.#attempt('Attaching a device', () => this.#devices.attach(device, options))
  }

  detachDevice(device: DomainDevice, options: CallOptions): Promise<void> {
    return this.#attempt('Detaching a device', () => this.#devices.detach(device, options))
  }

  updateDevice(device: DomainDevice, changed: DomainDevice, options: CallOptions): Promise<void> {
    return this.#attempt('Changing a device', () => this.#devices.update(device, changed, options))
  }

  tune(limits: GuestLimits, options: CallOptions): Promise<void> {
    return this.#attempt('Changing what the guest may use', () =>
      tune(limits, this.#devices, this.#parts.monitor, options),
    )
  }

  /** Devices that came and went have left gaps between the others: with their places said, each is where it was. */
  async savedDocument(document: DomainXml, options: CallOptions): Promise<DomainXml> {
    if (this.#devices.changed.length === 0) return document
    return this.#attempt('Looking at the devices', () =>
      withPciPlaces({ ...document, devices: this.document.devices }, this.#parts.monitor, options),
    )
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
    const { monitor, runDirectory, process, clock } = this.#parts
    const { document, plan } = this.#devices
    const { pid } = process.identity
    return this.#attempt(doing, () => action({ document, plan, monitor, runDirectory, pid, clock }))
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

  async #startAnew(): Promise<void> {
    this.#phaseAge++
    await this.#power.startAnew({ paused: this.#phase === 'paused' })
    await this.#refreshPhase()
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
        this.#power.hasShutDown(String(data.reason))
        this.#ending?.abort()
        this.#ending = new AbortController()
        void this.#endInTime(this.#ending.signal)
        return
      case 'RESET':
        this.#ending?.abort()
        this.#power.hasReset()
        this.#gate.tell((sink) => sink.rebooted())
        for (const tell of this.#onReset.splice(0)) tell()
        void this.#refreshPhase()
        return
      case 'STOP':
      case 'RESUME':
      case 'GUEST_PANICKED':
        void this.#refreshPhase()
        return
      case 'DEVICE_DELETED':
        if (typeof data.device === 'string') this.#devices.deleted(data.device)
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
    if (state === undefined || this.#power.isStartingAnew) return
    // Only a guest that is to be restarted is kept when it goes down.
    if (state === 'shutdown') return this.#startAnew()
    if (age !== this.#phaseAge) return
    const phase = phaseOf(state)
    if (phase === this.#phase || inSnapshot.includes(state)) return
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
    const exit = exitOf({ cause: this.#power.shutdownCause, killed, end: end ?? {}, lastWords })
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

  async #attempt<T>(doing: string, what: () => Promise<T>): Promise<T> {
    try {
      return await what()
    } catch (error) {
      throw fromQmp(doing, error)
    }
  }
}
