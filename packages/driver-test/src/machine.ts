import { basename } from 'node:path'
import { type Clock, type ExecOptions, type ExecProcess, type GuestProcess, VirError } from '@covirt/core'
import type { GuestExit, GuestPhase, GuestSink } from '@covirt/local'
import type { DomainXml } from '@covirt/xml'
import type { GuestBehaviour } from './behaviour.js'
import type { MachineMemory } from './machine-memory.js'
import { SerialLine } from './serial-line.js'
import { TestDisplay } from './test-display.js'
import { TestProcess } from './test-process.js'
import type { TestProgram } from './test-program.js'

/** What a machine is made of. */
export interface MachineParts {
  readonly document: DomainXml
  readonly clock: Clock
  /** The behaviour at this moment; requests that are ignored are counted down in it. */
  readonly behaviour: () => GuestBehaviour
  readonly spend: (what: 'ignoreShutdowns' | 'ignoreReboots') => void
  /** What the guest runs by this name. */
  readonly program: (name: string) => TestProgram | undefined
  /** Called once, when it is off. */
  readonly onOff: () => void
}

/**
 * A simulated machine with a guest in it: what would be a process in other drivers. It lives on while no
 * driver watches it, and tells one that does what happens.
 */
export class Machine {
  document: DomainXml
  readonly serial: SerialLine
  /** Who is told what happens; nobody while no driver has it. */
  sink: GuestSink | undefined
  /** Something in the guest's memory, which it loses when it boots. */
  note = ''
  readonly #parts: MachineParts
  #isOff = false
  /** Calls off what is still to happen. */
  readonly #pending = new Set<() => void>()
  #phase: GuestPhase = 'running'
  #ranMs = 0
  #ranSince: number
  #hung = false
  readonly #processes = new Set<TestProcess>()
  readonly #displays = new Set<TestDisplay>()
  readonly #keysPressed: (readonly number[])[] = []
  /** By how much the guest's clock is ahead of the host's. */
  #clockOffsetMs = 0
  #lastPid = 1
  #agentConnected = false

  /** With `memory` the guest does not boot, but goes on from there. */
  constructor(
    parts: MachineParts,
    options: { readonly paused: boolean; readonly memory?: MachineMemory | undefined },
  ) {
    this.#parts = parts
    this.document = parts.document
    this.serial = new SerialLine(() => this.#phase === 'running' && !this.#hung)
    this.#ranSince = parts.clock.now()
    if (options.paused) this.#phase = 'paused'
    if (options.memory) this.#remember(options.memory)
    else this.#boot()
  }

  /** What the guest has now; it gives and takes at once what it is asked to. */
  get memoryKib(): number {
    const { currentMemoryKib, memoryKib } = this.document
    return Number(currentMemoryKib ?? memoryKib ?? 0)
  }

  get phase(): GuestPhase {
    return this.#phase
  }

  get isOff(): boolean {
    return this.#isOff
  }

  get agentConnected(): boolean {
    return this.#agentConnected
  }

  /** Whether its guest runs and takes notice of anything. */
  get responds(): boolean {
    return this.#phase === 'running' && !this.#hung
  }

  /** Processor time since the start; the guest keeps one processor busy whenever it runs. */
  get cpuTimeNs(): bigint {
    const now = this.#phase === 'running' ? this.#parts.clock.now() - this.#ranSince : 0
    return BigInt(Math.round((this.#ranMs + now) * 1e6))
  }

  /** What is lost when it boots. */
  get memory(): MachineMemory {
    const { note } = this
    const ranMs = Number(this.cpuTimeNs) / 1e6
    return { hung: this.#hung, agentConnected: this.#agentConnected, ranMs, note }
  }

  /** What time it is for the guest, in milliseconds since 1970. */
  get timeMs(): number {
    return this.#parts.clock.now() + this.#clockOffsetMs
  }

  /** Sets the guest's clock, without `timeMs` to that of the host. */
  setTime(timeMs: number | undefined): void {
    this.#clockOffsetMs = timeMs === undefined ? 0 : timeMs - this.#parts.clock.now()
  }

  /** What was typed, as it was pressed together. */
  get keysPressed(): readonly (readonly number[])[] {
    return this.#keysPressed
  }

  pressKeys(keyCodes: readonly number[]): void {
    this.#keysPressed.push(keyCodes)
  }

  /** A guest that listens to nothing else says that it was interrupted. */
  interrupt(): void {
    this.serial.print('NMI\r\n')
  }

  /** Connects to its display. */
  openDisplay(): TestDisplay {
    const display = new TestDisplay()
    this.#displays.add(display)
    display.once('close', () => this.#displays.delete(display))
    return display
  }

  /** How long it takes to save it. */
  get saveDelayMs(): number {
    return this.#parts.behaviour().saveDelayMs
  }

  /** The power button: the guest goes off in its own time, if it notices. */
  pressPower(): void {
    if (!this.responds || this.#ignores('ignoreShutdowns')) return
    this.#later(this.#parts.behaviour().shutdownDelayMs, () => {
      if (this.responds) this.powerOff({ kind: 'shutdown' })
    })
  }

  /** Asks the guest to restart; it does so in its own time, if it notices. */
  askReboot(): void {
    if (!this.responds || this.#ignores('ignoreReboots')) return
    this.#later(this.#parts.behaviour().rebootDelayMs, () => {
      if (this.responds) this.reset()
    })
  }

  /** The guest starts anew, whatever it was doing. */
  reset(): void {
    this.#hung = false
    this.setAgent(false)
    this.#endProcesses()
    this.sink?.rebooted()
    this.#boot()
  }

  pause(): void {
    if (this.#phase !== 'running') return
    this.#ranMs += this.#parts.clock.now() - this.#ranSince
    this.#phase = 'paused'
  }

  resume(): void {
    if (this.#phase !== 'paused') return
    this.#ranSince = this.#parts.clock.now()
    this.#phase = 'running'
  }

  /** The guest's system gives up; the machine stands still. */
  panic(): void {
    this.pause()
    this.#phase = 'crashed'
    this.setAgent(false)
    this.serial.print('Kernel panic\r\n')
    this.sink?.phaseChanged('crashed')
  }

  /** The guest takes notice of nothing any more, and uses its processor. */
  hang(): void {
    this.#hung = true
    this.setAgent(false)
  }

  /** The agent comes or goes. */
  setAgent(connected: boolean): void {
    if (this.#agentConnected === connected) return
    this.#agentConnected = connected
    this.sink?.agentChanged(connected ? 'connected' : 'disconnected')
  }

  /** Ends the machine at once. */
  powerOff(exit: GuestExit): void {
    if (this.isOff) return
    this.pause()
    this.#isOff = true
    for (const callOff of this.#pending) callOff()
    this.#pending.clear()
    this.#agentConnected = false
    this.serial.hangUp()
    for (const display of this.#displays) display.hangUp()
    this.#endProcesses()
    this.#parts.onOff()
    this.sink?.exited(exit)
  }

  /** Runs a program in the guest until that ends or restarts, or `released` fires. */
  exec(argv: readonly string[], options: ExecOptions, released: AbortSignal): ExecProcess {
    const { clock, program } = this.#parts
    const parts = { program: program(argv[0] as string), clock, released, innerPid: ++this.#lastPid }
    const process = new TestProcess(argv, options, parts)
    this.#processes.add(process)
    const forget = () => void this.#processes.delete(process)
    process.exit.then(forget, forget)
    return process
  }

  /** The guest's init, and the programs that were brought into it. */
  processes(): readonly GuestProcess[] {
    const { memoryKib, cpuTimeNs } = this
    const init = { pid: undefined, innerPid: 1, name: 'init', argv: ['/sbin/init'], memoryKib, cpuTimeNs }
    const programs = [...this.#processes].map(({ innerPid, argv }) => ({
      ...{ pid: undefined, innerPid, name: basename(argv[0] as string), argv, memoryKib: 4, cpuTimeNs: 0n },
    }))
    return [init, ...programs]
  }

  #endProcesses(): void {
    for (const process of this.#processes) process.kill('SIGKILL')
  }

  #remember({ hung, agentConnected, ranMs, note }: MachineMemory): void {
    this.#hung = hung
    this.#agentConnected = agentConnected
    this.#ranMs = ranMs
    this.note = note
  }

  #boot(): void {
    this.note = ''
    this.serial.print(`${this.document.name} is up\r\n`)
    const hasAgent = this.document.devices.channels.some(({ target }) => target?.name === agentChannel)
    if (hasAgent) this.#later(this.#parts.behaviour().agentDelayMs, () => this.setAgent(!this.#hung))
  }

  #ignores(what: 'ignoreShutdowns' | 'ignoreReboots'): boolean {
    if (this.#parts.behaviour()[what] <= 0) return false
    this.#parts.spend(what)
    return true
  }

  /** Acts in a later turn, unless the machine is off by then. */
  #later(ms: number, act: () => void): void {
    const callOff = this.#parts.clock.after(ms, () => {
      this.#pending.delete(callOff)
      act()
    })
    this.#pending.add(callOff)
  }
}

/** The name of the channel that the QEMU guest agent listens on. */
const agentChannel = 'org.qemu.guest_agent.0'

/** What is said where a machine is not there any more. */
export function machineIsOff(name: string): VirError {
  return new VirError('OPERATION_INVALID', `The guest of domain '${name}' is not running`, { domain: 'TEST' })
}
