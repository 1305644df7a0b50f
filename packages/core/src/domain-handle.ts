import type { Duplex, Readable } from 'node:stream'
import { abortable, anySignal, type CallOptions } from './abort.js'
import type { AddressOptions, GuestInterface } from './addresses-role.js'
import type { ChangeOptions } from './change-options.js'
import { checkExec } from './check-exec.js'
import { checkGuestPath } from './check-path.js'
import type { DomainInfo, DomainRef } from './domain.js'
import type { DriverEvent } from './domain-event.js'
import type { DomainMetadata, MetadataOptions } from './domain-metadata.js'
import { type DomainState, type DomainStateName, domainStateReasons, isActive } from './domain-state.js'
import type {
  Driver,
  ShutdownOptions,
  StartOptions,
  SuspendOptions,
  UndefineOptions,
  Unsubscribe,
  XmlOptions,
} from './driver.js'
import { isVirError, VirError } from './errors.js'
import type { EventStream, EventStreamOptions } from './event-stream.js'
import type { ExecOptions, ExecProcess, TerminalSize } from './exec-role.js'
import type {
  FileEntry,
  FileInfo,
  MakeDirectoryOptions,
  OwnershipOptions,
  ReadFileOptions,
  RemoveFileOptions,
  StatFileOptions,
} from './files-role.js'
import type { GraphicsOptions, Screenshot, ScreenshotOptions } from './graphics-role.js'
import type { SendKeyOptions } from './keyboard-role.js'
import type { GuestProcess } from './processes-role.js'
import { requireRole } from './require-role.js'
import type { AgentOptions, ConsoleOptions, ConsoleStream, DriverRoles, RoleName } from './roles.js'
import type { SaveOptions } from './saved-state-role.js'
import type {
  CreateSnapshotOptions,
  DeleteSnapshotOptions,
  RevertSnapshotOptions,
  SnapshotInfo,
} from './snapshots.js'
import type { DomainStatistics, StatisticsOptions } from './statistics-role.js'
import type { BlkioParameters, MemoryParameters, SchedulerParameters, VcpuOptions } from './tuning-role.js'

/** What a handle needs of its connection. */
interface HandleConnection {
  /** `INVALID_CONN` once it is closed. */
  readonly driver: Driver
  readonly closed: boolean
  subscribe(listener: (event: DriverEvent) => void): Unsubscribe
  events(options: EventStreamOptions): EventStream
}

/**
 * One domain, as users hold it. A handle carries identity and no state: it stays valid while the domain
 * stops, starts and is redefined, and costs nothing to keep. Every method tells in `Driver` what it promises.
 */
export class DomainHandle {
  #ref: DomainRef
  readonly #connection: HandleConnection

  constructor(connection: HandleConnection, { uuid, name }: DomainRef) {
    this.#connection = connection
    this.#ref = { uuid, name }
  }

  /** What drivers take. It has no `id`, which may have changed since. */
  get ref(): DomainRef {
    return this.#ref
  }

  get uuid(): string {
    return this.ref.uuid
  }

  get name(): string {
    return this.ref.name
  }

  get #driver(): Driver {
    return this.#connection.driver
  }

  #role<R extends RoleName>(role: R): DriverRoles[R] {
    return requireRole(this.#driver, role)
  }

  /** The id of the active domain; `undefined` while it is off. */
  async id(options?: CallOptions): Promise<number | undefined> {
    const ref = await this.#driver.lookupDomain({ uuid: this.uuid }, options)
    return ref.id
  }

  async xml(options?: XmlOptions): Promise<string> {
    return this.#driver.getDomainXml(this.ref, options)
  }

  async state(options?: CallOptions): Promise<DomainState> {
    return this.#driver.getDomainState(this.ref, options)
  }

  async info(options?: CallOptions): Promise<DomainInfo> {
    return this.#driver.getDomainInfo(this.ref, options)
  }

  async isActive(options?: CallOptions): Promise<boolean> {
    return isActive(await this.state(options))
  }

  /** Whether it has a stored definition. */
  async isPersistent(options?: CallOptions): Promise<boolean> {
    return this.#driver.isDomainPersistent(this.ref, options)
  }

  async getAutostart(options?: CallOptions): Promise<boolean> {
    return this.#driver.getAutostart(this.ref, options)
  }

  async setAutostart(autostart: boolean, options?: CallOptions): Promise<void> {
    if (typeof autostart !== 'boolean') throw new TypeError('autostart must be a boolean')
    return this.#driver.setAutostart(this.ref, autostart, options)
  }

  async start(options?: StartOptions): Promise<void> {
    await this.#driver.startDomain(this.ref, options)
  }

  /** Asks; `await domain.waitFor('shutoff')` waits for the guest to act. */
  async shutdown(options?: ShutdownOptions): Promise<void> {
    return this.#driver.shutdownDomain(this.ref, options)
  }

  async reboot(options?: ShutdownOptions): Promise<void> {
    return this.#driver.rebootDomain(this.ref, options)
  }

  async destroy(options?: CallOptions): Promise<void> {
    return this.#driver.destroyDomain(this.ref, options)
  }

  async suspend(options?: SuspendOptions): Promise<void> {
    return this.#driver.suspendDomain(this.ref, options)
  }

  async resume(options?: CallOptions): Promise<void> {
    return this.#driver.resumeDomain(this.ref, options)
  }

  async undefine(options?: UndefineOptions): Promise<void> {
    return this.#driver.undefineDomain(this.ref, options)
  }

  /** Gives it another name, by which this handle goes from then on. */
  async rename(newName: string, options?: CallOptions): Promise<void> {
    if (typeof newName !== 'string') throw new TypeError('newName must be a string')
    const { uuid, name } = await this.#driver.renameDomain(this.ref, newName, options)
    this.#ref = { uuid, name }
  }

  /** Changes its title, its description, or an element of its metadata. */
  async setMetadata(metadata: DomainMetadata, options?: MetadataOptions): Promise<void> {
    return this.#driver.setDomainMetadata(this.ref, metadata, options)
  }

  /** Role `console`. */
  async openConsole(options?: ConsoleOptions): Promise<ConsoleStream> {
    return this.#role('console').openConsole(this.ref, options)
  }

  /** Role `reset`. */
  async reset(options?: CallOptions): Promise<void> {
    return this.#role('reset').resetDomain(this.ref, options)
  }

  /** Role `guestAgent`. */
  async agentCommand(command: string, options?: AgentOptions): Promise<string> {
    if (typeof command !== 'string') throw new TypeError('command must be a string')
    return this.#role('guestAgent').agentCommand(this.ref, command, options)
  }

  /** Role `exec`: runs a program in the guest, without a shell. */
  async exec(argv: readonly string[], options?: ExecOptions): Promise<ExecProcess> {
    checkExec(argv, options)
    return this.#role('exec').exec(this.ref, argv, options)
  }

  /** Role `exec`: a login shell on a terminal: bash where the guest has it, else sh. */
  async shell(options: ExecOptions = {}): Promise<ExecProcess> {
    const { env, tty = defaultTerminal, ...rest } = options
    const home = options.uid === undefined || options.uid === 0 ? '/root' : '/'
    return this.exec(shellArgv, { ...rest, tty, env: { TERM: 'xterm', HOME: home, ...env } })
  }

  /** Role `snapshots`: takes one as the `<domainsnapshot>` document says. */
  async createSnapshot(xml = '<domainsnapshot/>', options?: CreateSnapshotOptions): Promise<SnapshotInfo> {
    if (typeof xml !== 'string') throw new TypeError('xml must be a string')
    return this.#role('snapshots').createSnapshot(this.ref, xml, options)
  }

  /** Role `snapshots`. */
  async listSnapshots(options?: CallOptions): Promise<readonly SnapshotInfo[]> {
    return this.#role('snapshots').listSnapshots(this.ref, options)
  }

  /** Role `snapshots`. */
  async snapshotXml(snapshot: string, options?: Pick<XmlOptions, 'secure' | 'signal'>): Promise<string> {
    return this.#role('snapshots').getSnapshotXml(this.ref, snapshot, options)
  }

  /** Role `snapshots`. */
  async revertToSnapshot(snapshot: string, options?: RevertSnapshotOptions): Promise<void> {
    if (typeof snapshot !== 'string') throw new TypeError('snapshot must be a string')
    return this.#role('snapshots').revertToSnapshot(this.ref, snapshot, options)
  }

  /** Role `snapshots`. */
  async deleteSnapshot(snapshot: string, options?: DeleteSnapshotOptions): Promise<void> {
    if (typeof snapshot !== 'string') throw new TypeError('snapshot must be a string')
    return this.#role('snapshots').deleteSnapshot(this.ref, snapshot, options)
  }

  /** Role `processes`. */
  async listProcesses(options?: CallOptions): Promise<readonly GuestProcess[]> {
    return this.#role('processes').listProcesses(this.ref, options)
  }

  /** Role `addresses`. */
  async listInterfaceAddresses(options?: AddressOptions): Promise<readonly GuestInterface[]> {
    return this.#role('addresses').listInterfaceAddresses(this.ref, options)
  }

  /** Role `savedState`: to the file `path` of the driver's host; `connection.domains.restore(path)` brings it back. */
  async save(path: string, options?: SaveOptions): Promise<void> {
    if (typeof path !== 'string') throw new TypeError('path must be a string')
    return this.#role('savedState').saveDomain(this.ref, path, options)
  }

  /** Role `savedState`: the next start goes on from there. */
  async managedSave(options?: SaveOptions): Promise<void> {
    return this.#role('savedState').managedSave(this.ref, options)
  }

  /** Role `savedState`. */
  async hasManagedSave(options?: CallOptions): Promise<boolean> {
    return this.#role('savedState').hasManagedSave(this.ref, options)
  }

  /** Role `savedState`. */
  async removeManagedSave(options?: CallOptions): Promise<void> {
    return this.#role('savedState').removeManagedSave(this.ref, options)
  }

  /** Role `graphics`: a picture of the screen. */
  async screenshot(options?: ScreenshotOptions): Promise<Screenshot> {
    return this.#role('graphics').screenshot(this.ref, options)
  }

  /** Role `graphics`: a connection to the display. */
  async openGraphics(options?: GraphicsOptions): Promise<Duplex> {
    return this.#role('graphics').openGraphics(this.ref, options)
  }

  /** Role `keyboard`: presses keys together. */
  async sendKey(keyCodes: readonly number[], options?: SendKeyOptions): Promise<void> {
    if (!Array.isArray(keyCodes)) throw new TypeError('keyCodes must be an array of numbers')
    return this.#role('keyboard').sendKey(this.ref, keyCodes, options)
  }

  /** Role `nmi`. */
  async injectNmi(options?: CallOptions): Promise<void> {
    return this.#role('nmi').injectNmi(this.ref, options)
  }

  /** Role `guestTime`: in nanoseconds since 1970. */
  async getTime(options?: CallOptions): Promise<bigint> {
    return this.#role('guestTime').getTime(this.ref, options)
  }

  /** Role `guestTime`: to this many nanoseconds since 1970, or to the time of its hardware. */
  async setTime(timeNs?: bigint, options?: CallOptions): Promise<void> {
    if (timeNs !== undefined && typeof timeNs !== 'bigint') throw new TypeError('timeNs must be a bigint')
    return this.#role('guestTime').setTime(this.ref, timeNs, options)
  }

  /** Role `statistics`: by device. */
  async statistics(options?: StatisticsOptions): Promise<DomainStatistics> {
    return this.#role('statistics').getStatistics(this.ref, options)
  }

  /** Role `devices`. */
  async attachDevice(xml: string, options?: ChangeOptions): Promise<void> {
    checkXml(xml)
    return this.#role('devices').attachDevice(this.ref, xml, options)
  }

  /** Role `devices`. */
  async detachDevice(xml: string, options?: ChangeOptions): Promise<void> {
    checkXml(xml)
    return this.#role('devices').detachDevice(this.ref, xml, options)
  }

  /** Role `devices`. */
  async detachDeviceAlias(alias: string, options?: ChangeOptions): Promise<void> {
    if (typeof alias !== 'string') throw new TypeError('alias must be a string')
    return this.#role('devices').detachDeviceAlias(this.ref, alias, options)
  }

  /** Role `devices`. */
  async updateDevice(xml: string, options?: ChangeOptions): Promise<void> {
    checkXml(xml)
    return this.#role('devices').updateDevice(this.ref, xml, options)
  }

  /** Role `tuning`: how much memory it has. */
  async setMemory(memoryKib: number, options?: ChangeOptions): Promise<void> {
    checkCount(memoryKib, 'memoryKib')
    return this.#role('tuning').setMemory(this.ref, memoryKib, options)
  }

  /** Role `tuning`: how much memory it can have. */
  async setMaxMemory(memoryKib: number, options?: ChangeOptions): Promise<void> {
    checkCount(memoryKib, 'memoryKib')
    return this.#role('tuning').setMaxMemory(this.ref, memoryKib, options)
  }

  /** Role `tuning`. */
  async setVcpus(count: number, options?: ChangeOptions & VcpuOptions): Promise<void> {
    checkCount(count, 'count')
    return this.#role('tuning').setVcpus(this.ref, count, options)
  }

  /** Role `tuning`. */
  async getVcpus(options?: ChangeOptions & VcpuOptions): Promise<number> {
    return this.#role('tuning').getVcpus(this.ref, options)
  }

  /** Role `tuning`. */
  async getSchedulerParameters(options?: ChangeOptions): Promise<SchedulerParameters> {
    return this.#role('tuning').getSchedulerParameters(this.ref, options)
  }

  /** Role `tuning`. */
  async setSchedulerParameters(parameters: SchedulerParameters, options?: ChangeOptions): Promise<void> {
    return this.#role('tuning').setSchedulerParameters(this.ref, parameters, options)
  }

  /** Role `tuning`. */
  async getMemoryParameters(options?: ChangeOptions): Promise<MemoryParameters> {
    return this.#role('tuning').getMemoryParameters(this.ref, options)
  }

  /** Role `tuning`. */
  async setMemoryParameters(parameters: MemoryParameters, options?: ChangeOptions): Promise<void> {
    return this.#role('tuning').setMemoryParameters(this.ref, parameters, options)
  }

  /** Role `tuning`. */
  async getBlkioParameters(options?: ChangeOptions): Promise<BlkioParameters> {
    return this.#role('tuning').getBlkioParameters(this.ref, options)
  }

  /** Role `tuning`. */
  async setBlkioParameters(parameters: BlkioParameters, options?: ChangeOptions): Promise<void> {
    return this.#role('tuning').setBlkioParameters(this.ref, parameters, options)
  }

  /** Role `files`. */
  async readFile(path: string, options?: ReadFileOptions): Promise<Readable> {
    checkGuestPath(path, options)
    return this.#role('files').readFile(this.ref, path, options)
  }

  /** Role `files`. */
  async writeFile(
    path: string,
    content: string | Uint8Array | Readable,
    options?: OwnershipOptions,
  ): Promise<void> {
    checkGuestPath(path, options)
    return this.#role('files').writeFile(this.ref, path, content, options)
  }

  /** Role `files`. */
  async statFile(path: string, options?: StatFileOptions): Promise<FileInfo> {
    checkGuestPath(path)
    return this.#role('files').statFile(this.ref, path, options)
  }

  /** Role `files`. */
  async listDirectory(path: string, options?: CallOptions): Promise<readonly FileEntry[]> {
    checkGuestPath(path)
    return this.#role('files').listDirectory(this.ref, path, options)
  }

  /** Role `files`. */
  async makeDirectory(path: string, options?: MakeDirectoryOptions): Promise<void> {
    checkGuestPath(path, options)
    return this.#role('files').makeDirectory(this.ref, path, options)
  }

  /** Role `files`. */
  async removeFile(path: string, options?: RemoveFileOptions): Promise<void> {
    checkGuestPath(path)
    return this.#role('files').removeFile(this.ref, path, options)
  }

  /** Calls `listener` for each event of this domain, and each `resync`, until unsubscribed or the connection is closed. */
  subscribe(listener: (event: DriverEvent) => void): Unsubscribe {
    return this.#connection.subscribe((event) => {
      if (event.type === 'resync' || event.domain.uuid === this.uuid) listener(event)
    })
  }

  /**
   * Resolves once the domain is in one of `states`, at once where it is already. A transient domain that goes
   * off, and so disappears, counts as `shutoff`, even if it has before. `NO_DOMAIN` where it does not exist
   * and another state is waited for, `INVALID_CONN` where the connection is closed meanwhile.
   */
  async waitFor(
    states: DomainStateName | readonly DomainStateName[],
    options: CallOptions = {},
  ): Promise<DomainState> {
    const wanted = typeof states === 'string' ? [states] : states
    for (const name of wanted) {
      if (!(name in domainStateReasons)) throw new TypeError(`'${name}' is not a domain state`)
    }
    const over = new AbortController()
    const events = this.#connection.events({ signal: anySignal(options.signal, over.signal) })
    try {
      do {
        const state = await this.state({ signal: options.signal })
        if (wanted.includes(state.state)) return state
        const last = await abortable(this.#nextState(events), options.signal)
        if (last && wanted.includes(last.state)) return last
      } while (!this.#connection.closed)
      throw new VirError('INVALID_CONN', `The connection was closed while waiting for domain '${this.name}'`)
    } catch (error) {
      if (!isVirError(error, 'NO_DOMAIN') || !wanted.includes('shutoff')) throw error
      over.abort()
      return await this.#lastStop(events)
    } finally {
      over.abort()
    }
  }

  /** How a domain that has gone went off, as far as `events`, which have ended, still tell. */
  async #lastStop(events: EventStream): Promise<DomainState> {
    for await (const event of events) {
      if (event.type !== 'lifecycle' || event.domain.uuid !== this.uuid) continue
      if (event.event === 'stopped') return { state: 'shutoff', reason: event.detail }
    }
    return { state: 'shutoff', reason: 'unknown' }
  }

  /** Waits for the next event that can have changed the state; resolves to the state where the event says it. */
  async #nextState(events: AsyncIterator<{ readonly type: string }>): Promise<DomainState | undefined> {
    for (;;) {
      const { done, value } = (await events.next()) as IteratorResult<DriverEvent>
      if (done || value.type === 'resync') return undefined
      if (value.type !== 'lifecycle' || value.domain.uuid !== this.uuid) continue
      return value.event === 'stopped' ? { state: 'shutoff', reason: value.detail } : undefined
    }
  }
}

function checkXml(xml: string): void {
  if (typeof xml !== 'string') throw new TypeError('xml must be a string')
}

function checkCount(value: number, name: string): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`${name} must be a natural number`)
}

const defaultTerminal: TerminalSize = { columns: 80, rows: 24 }

/** What a guest has is found out inside of it: one way there and back. */
const shellArgv = ['/bin/sh', '-c', 'cd 2>/dev/null; command -v bash >/dev/null && exec bash -l; exec sh -l']

/** Which methods of a handle stand on which role. */
interface RoleMethods {
  nativeConfig: never
  console: 'openConsole'
  reset: 'reset'
  guestAgent: 'agentCommand'
  exec: 'exec' | 'shell'
  processes: 'listProcesses'
  addresses: 'listInterfaceAddresses'
  files: 'readFile' | 'writeFile' | 'statFile' | 'listDirectory' | 'makeDirectory' | 'removeFile'
  snapshots: 'createSnapshot' | 'listSnapshots' | 'snapshotXml' | 'revertToSnapshot' | 'deleteSnapshot'
  savedState: 'save' | 'managedSave' | 'hasManagedSave' | 'removeManagedSave'
  graphics: 'screenshot' | 'openGraphics'
  keyboard: 'sendKey'
  nmi: 'injectNmi'
  guestTime: 'getTime' | 'setTime'
  statistics: 'statistics'
  devices: 'attachDevice' | 'detachDevice' | 'detachDeviceAlias' | 'updateDevice'
  tuning:
    | 'setMemory'
    | 'setMaxMemory'
    | 'setVcpus'
    | 'getVcpus'
    | `${'get' | 'set'}${'Scheduler' | 'Memory' | 'Blkio'}Parameters`
}

/** The roles that driver `D` is known not to have. */
type AbsentRole<D extends Driver> = {
  [R in RoleName]: [D[R]] extends [undefined] ? R : never
}[RoleName]

/**
 * A domain of a connection to driver `D`. Where `D` is known, methods of roles that it lacks do not exist;
 * where it is not (plain `Driver`), they all do, and reject with `NO_SUPPORT` where the role is absent.
 */
export type Domain<D extends Driver = Driver> = Omit<DomainHandle, RoleMethods[AbsentRole<D>]>
