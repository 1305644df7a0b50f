import {
  type CallOptions,
  type Clock,
  checkExec,
  type ExecOptions,
  type ExecProcess,
  type ShutdownMode,
  VirError,
} from '@covirt/core'
import type { Guest, GuestInfo, GuestLimits, GuestPhase, GuestRecord, GuestSink } from '@covirt/local'
import { type DeviceXml, type DomainDevice, type DomainXml, devicesOf, withDevices } from '@covirt/xml'
import { answerOf } from './agent.js'
import { type Machine, machineIsOff } from './machine.js'
import { writeMemory } from './machine-memory.js'

/** A driver's hold on a {@link Machine}. */
export class TestGuest implements Guest {
  readonly machine: Machine
  readonly record: GuestRecord = {}
  readonly #sink: GuestSink
  readonly #released = new AbortController()

  readonly #clock: Clock

  constructor(machine: Machine, sink: GuestSink, clock: Clock) {
    this.machine = machine
    this.#sink = sink
    this.#clock = clock
    machine.sink = sink
  }

  get document(): DomainXml {
    return this.machine.document
  }

  get phase(): GuestPhase {
    return this.machine.phase
  }

  async info(): Promise<GuestInfo> {
    const { memoryKib, cpuTimeNs } = this.machine
    return { memoryKib, cpuTimeNs }
  }

  async shutdown(mode: ShutdownMode | undefined): Promise<void> {
    this.#request(mode, 'powerdown', () => this.machine.pressPower())
  }

  async reboot(mode: ShutdownMode | undefined): Promise<void> {
    this.#request(mode, 'reboot', () => this.machine.askReboot())
  }

  async pause(): Promise<void> {
    this.#running().pause()
  }

  async resume(): Promise<void> {
    this.#running().resume()
  }

  async save(
    write: (state: AsyncIterable<Uint8Array>) => Promise<void>,
    options: CallOptions,
  ): Promise<void> {
    const machine = this.#running()
    const goesOn = machine.phase === 'running'
    machine.pause()
    try {
      const { saveDelayMs } = machine
      if (saveDelayMs > 0) await this.#clock.sleep(saveDelayMs, options)
      this.#running()
      await write(writeMemory(machine.memory))
    } catch (error) {
      if (goesOn) machine.resume()
      throw error
    }
  }

  async attachDevice({ kind, device }: DomainDevice): Promise<void> {
    const machine = this.#running()
    const alias = freeAlias(machine.document, kind)
    this.#setDevices(kind, [...devicesOf(machine.document, kind), named(device, alias)])
  }

  async detachDevice({ kind, device }: DomainDevice): Promise<void> {
    const { document } = this.#running()
    this.#setDevices(
      kind,
      devicesOf(document, kind).filter((each) => each !== device),
    )
  }

  async updateDevice({ kind, device }: DomainDevice, changed: DomainDevice): Promise<void> {
    const { document } = this.#running()
    this.#setDevices(
      kind,
      devicesOf(document, kind).map((each) => (each === device ? changed.device : each)),
    )
  }

  async tune(limits: GuestLimits): Promise<void> {
    const machine = this.#running()
    machine.document = { ...machine.document, ...limits }
  }

  async kill(): Promise<void> {
    this.machine.powerOff({ kind: 'killed' })
  }

  async release(): Promise<void> {
    this.#released.abort('nobody watches it any more')
    if (this.machine.sink === this.#sink) this.machine.sink = undefined
  }

  /** See `GuestAgentRole`. */
  askAgent(command: string): string {
    const { agentConnected, responds, document } = this.#running()
    if (agentConnected && responds) return answerOf(this.machine, command)
    throw new VirError('AGENT_UNRESPONSIVE', `No agent answers in domain '${document.name}'`, {
      domain: 'TEST',
      hint: "Give it a <channel> with the target 'org.qemu.guest_agent.0'",
    })
  }

  /** See `ExecRole`. */
  exec(argv: readonly string[], options: ExecOptions): ExecProcess {
    checkExec(argv, options)
    return this.#running().exec(argv, options, this.#released.signal)
  }

  #setDevices(kind: DomainDevice['kind'], devices: readonly DeviceXml[]): void {
    const { machine } = this
    machine.document = withDevices(machine.document, kind, devices)
  }

  #request(mode: ShutdownMode | undefined, verb: string, press: () => void): void {
    switch (mode) {
      case undefined:
      case 'acpi':
        this.#running()
        press()
        break
      case 'agent':
        this.askAgent(JSON.stringify({ execute: 'guest-shutdown', arguments: { mode: verb } }))
        break
      default:
        throw new VirError('ARGUMENT_UNSUPPORTED', `Test guests cannot be asked by '${mode}'`, {
          domain: 'TEST',
          hint: "They can be asked by 'acpi' and by 'agent'",
        })
    }
  }

  #running(): Machine {
    if (this.machine.isOff) throw machineIsOff(this.document.name)
    return this.machine
  }
}

/** One that the user has given stays. */
function named(device: DeviceXml, alias: string): DeviceXml {
  if (!('type' in device || 'target' in device || 'model' in device)) return device
  return 'alias' in device && device.alias?.startsWith('ua-') ? device : { ...device, alias }
}

function freeAlias(document: DomainXml, kind: DomainDevice['kind']): string {
  const taken = new Set(devicesOf(document, kind).map((each) => ('alias' in each ? each.alias : undefined)))
  for (let number = 0; ; number++) if (!taken.has(`${kind}${number}`)) return `${kind}${number}`
}
