import { hostname } from 'node:os'
import {
  type CallOptions,
  type ConsoleRole,
  type DevicesRole,
  type DomainEvent,
  type DomainFilter,
  type DomainInfo,
  type DomainKey,
  type DomainMetadata,
  type DomainRef,
  type DomainState,
  type DomainStats,
  type Driver,
  EventHub,
  type GuestAgentRole,
  type GuestKind,
  libraryVersion,
  type MetadataOptions,
  matchesFilter,
  messageOf,
  type NodeInfo,
  type ResetRole,
  readNodeInfo,
  type SavedStateRole,
  type ShutdownOptions,
  type SnapshotsRole,
  type StartOptions,
  type SuspendOptions,
  type TuningRole,
  throwIfAborted,
  type UndefineOptions,
  type Unsubscribe,
  type VersionInfo,
  VirError,
  type XmlOptions,
} from '@covirt/core'
import { type DomainXml, domainCapabilitiesOf } from '@covirt/xml'
import { changeMetadata, metadataOf } from './change-metadata.js'
import { DocumentChanges } from './document-changes.js'
import { documentText } from './document-texts.js'
import { DomainDefinitions } from './domain-definitions.js'
import type { ActiveGuest } from './domain-entry.js'
import { DomainJobs } from './domain-jobs.js'
import { DomainLives } from './domain-lives.js'
import { DomainLoader } from './domain-loader.js'
import { flagsOf, infoOf, statsOf, usedBy } from './domain-stats.js'
import { DomainTable } from './domain-table.js'
import { ForeignKeeper } from './foreign-keeper.js'
import { GuestKeeper, type GuestKeeperParts } from './guest-keeper.js'
import type { Hypervisor, StorageSnapshots } from './hypervisor.js'
import { LocalDevices } from './local-devices.js'
import { LocalSnapshots } from './local-snapshots.js'
import { LocalTuning } from './local-tuning.js'
import { SavedStates, type SavedStatesParts } from './saved-states.js'

/** What a {@link LocalDriver} is made of. */
export interface LocalDriverParts extends Omit<GuestKeeperParts, 'events'> {
  /** Canonical. */
  readonly uri: string
  /** Calls `dispose` when the last of those who share the driver closes it. Default: at once. */
  readonly release?: (dispose: () => Promise<void>) => Promise<void>
  /** What it runs on. Default: this host. */
  readonly readNodeInfo?: () => Promise<NodeInfo>
}

/** Turns a {@link Hypervisor} into a {@link Driver}. */
export class LocalDriver implements Driver {
  readonly type: string
  readonly uri: string
  declare readonly console?: ConsoleRole
  declare readonly reset?: ResetRole
  declare readonly guestAgent?: GuestAgentRole
  declare readonly snapshots?: SnapshotsRole
  readonly #snapshots: LocalSnapshots | undefined
  readonly savedState?: SavedStateRole
  readonly devices: DevicesRole
  readonly tuning?: TuningRole
  readonly #changes: DocumentChanges
  readonly #foreign: ForeignKeeper | undefined
  readonly #parts: LocalDriverParts
  readonly #table: DomainTable
  readonly #keeper: GuestKeeper
  readonly #jobs: DomainJobs
  readonly #definitions: DomainDefinitions
  readonly #lives: DomainLives
  readonly #events: EventHub<DomainEvent>
  readonly #saved: SavedStates | undefined

  private constructor(parts: LocalDriverParts) {
    this.#parts = parts
    this.type = parts.hypervisor.type
    this.uri = parts.uri
    this.#table = new DomainTable(parts.clock, (uuids) => this.#retain(uuids))
    this.#events = new EventHub(parts.logger)
    this.#keeper = new GuestKeeper(this.#keeperParts)
    this.#jobs = new DomainJobs(this.type, this.#table)
    Object.assign(this, parts.hypervisor.roles(this.#jobs.access()))
    const { foreign } = parts.hypervisor
    if (foreign) this.#foreign = new ForeignKeeper(foreign, this.#keeperParts, this.#table, this.#keeper)
    this.#snapshots = this.#openSnapshots(parts.hypervisor.snapshots)
    if (this.#snapshots) this.snapshots = this.#snapshots
    this.#saved = parts.hypervisor.savesGuests ? new SavedStates(this.#savedParts()) : undefined
    if (this.#saved) this.savedState = this.#saved
    const own = { table: this.#table, jobs: this.#jobs, keeper: this.#keeper, events: this.#events }
    const roles = { snapshots: this.#snapshots, saved: this.#saved }
    this.#definitions = new DomainDefinitions({ ...parts, ...own, ...roles })
    this.#lives = new DomainLives({ ...parts, ...own, ...roles })
    this.#changes = new DocumentChanges({ ...parts, keeper: this.#keeper, jobs: this.#jobs })
    const { hypervisor } = parts
    this.devices = new LocalDevices({ hypervisor, changes: this.#changes })
    const { tuning: defaults } = hypervisor
    const find = (domain: DomainRef) => this.#table.get(domain)
    if (defaults) this.tuning = new LocalTuning({ hypervisor, defaults, changes: this.#changes, find })
  }

  #openSnapshots(storage: StorageSnapshots | undefined): LocalSnapshots | undefined {
    if (!storage) return undefined
    return new LocalSnapshots({
      ...this.#keeperParts,
      storage,
      keeper: this.#keeper,
      table: this.#table,
      find: (domain) => this.#table.get(domain),
      requireNoState: async (entry) => this.#saved?.requireNone(entry),
      change: (domain, name, options, work) => this.#jobs.change(domain, name, options, work),
    })
  }

  get #keeperParts(): GuestKeeperParts {
    return { ...this.#parts, events: this.#events }
  }

  /** Loads what is stored and finds the guests again. */
  static async open(parts: LocalDriverParts): Promise<LocalDriver> {
    const driver = new LocalDriver(parts)
    const stored = await parts.store.load()
    const loader = new DomainLoader(driver.#keeperParts, driver.#table, driver.#keeper)
    await Promise.all(stored.map((domain) => loader.load(domain)))
    await driver.#foreign?.open()
    driver.#table.tellRemaining()
    await parts.places.tidy()
    return driver
  }

  async close(): Promise<void> {
    const dispose = () => this.#close()
    await (this.#parts.release?.(dispose) ?? dispose())
  }

  async getCapabilities(options: CallOptions = {}): Promise<string> {
    throwIfAborted(options.signal)
    return this.#parts.hypervisor.getCapabilities(options)
  }

  async getDomainCapabilities(kind: GuestKind = {}, options: CallOptions = {}): Promise<string> {
    return domainCapabilitiesOf(await this.getCapabilities(options), kind)
  }

  async getHostname(options: CallOptions = {}): Promise<string> {
    throwIfAborted(options.signal)
    return hostname()
  }

  async getNodeInfo(options: CallOptions = {}): Promise<NodeInfo> {
    throwIfAborted(options.signal)
    return (this.#parts.readNodeInfo ?? readNodeInfo)()
  }

  async getVersion(options: CallOptions = {}): Promise<VersionInfo> {
    throwIfAborted(options.signal)
    return { library: libraryVersion, hypervisors: this.#parts.hypervisor.versions }
  }

  async listDomains(filter: DomainFilter = {}, options: CallOptions = {}): Promise<readonly DomainRef[]> {
    throwIfAborted(options.signal)
    return [...this.#table].filter((entry) => matchesFilter(flagsOf(entry), filter)).map((entry) => entry.ref)
  }

  async getAllDomainStats(
    filter: DomainFilter = {},
    options: CallOptions = {},
  ): Promise<readonly DomainStats[]> {
    throwIfAborted(options.signal)
    const entries = [...this.#table].filter((entry) => matchesFilter(flagsOf(entry), filter))
    const guests = entries.map(({ active }) => active)
    const used = await Promise.all(guests.map((active) => active && usedBy(active.guest, options)))
    return entries
      .map((entry, index) => statsOf(entry, entry.active === guests[index] ? used[index] : undefined))
      .filter((stats) => stats !== undefined)
  }

  async lookupDomain(key: DomainKey, options: CallOptions = {}): Promise<DomainRef> {
    throwIfAborted(options.signal)
    return this.#table.find(key).ref
  }

  defineDomain(xml: string, options?: CallOptions): Promise<DomainRef> {
    return this.#definitions.define(xml, options)
  }

  undefineDomain(domain: DomainRef, options?: UndefineOptions): Promise<void> {
    return this.#definitions.undefine(domain, options)
  }

  renameDomain(domain: DomainRef, newName: string, options?: CallOptions): Promise<DomainRef> {
    return this.#definitions.rename(domain, newName, options)
  }

  async setDomainMetadata(
    domain: DomainRef,
    metadata: DomainMetadata,
    options: MetadataOptions = {},
  ): Promise<void> {
    await this.#changes.run(domain, 'metadata', options, ({ active, definition }) => {
      const shown = active && changeMetadata(active.document, metadata)
      return {
        definition: definition && changeMetadata(definition, metadata),
        live:
          active &&
          shown &&
          (async () => {
            active.document = shown
          }),
      }
    })
  }

  async getDomainXml(domain: DomainRef, options: XmlOptions = {}): Promise<string> {
    throwIfAborted(options.signal)
    const { active, inactiveDocument } = this.#table.get(domain)
    const live = options.inactive ? undefined : active
    const secure = options.secure ?? false
    return documentText(live ? shownDocument(live) : inactiveDocument, { id: live?.id, secure })
  }

  async isDomainPersistent(domain: DomainRef, options: CallOptions = {}): Promise<boolean> {
    throwIfAborted(options.signal)
    return this.#table.get(domain).definition !== undefined
  }

  async getAutostart(domain: DomainRef, options: CallOptions = {}): Promise<boolean> {
    throwIfAborted(options.signal)
    return this.#table.get(domain).autostart
  }

  setAutostart(domain: DomainRef, autostart: boolean, options?: CallOptions): Promise<void> {
    return this.#definitions.setAutostart(domain, autostart, options)
  }

  createDomain(xml: string, options?: StartOptions): Promise<DomainRef> {
    return this.#lives.create(xml, options)
  }

  startDomain(domain: DomainRef, options?: StartOptions): Promise<DomainRef> {
    return this.#lives.start(domain, options)
  }

  shutdownDomain(domain: DomainRef, options?: ShutdownOptions): Promise<void> {
    return this.#lives.shutdown(domain, options)
  }

  rebootDomain(domain: DomainRef, options?: ShutdownOptions): Promise<void> {
    return this.#lives.reboot(domain, options)
  }

  destroyDomain(domain: DomainRef, options?: CallOptions): Promise<void> {
    return this.#lives.destroy(domain, options)
  }

  suspendDomain(domain: DomainRef, options?: SuspendOptions): Promise<void> {
    return this.#lives.suspend(domain, options)
  }

  resumeDomain(domain: DomainRef, options?: CallOptions): Promise<void> {
    return this.#lives.resume(domain, options)
  }

  async getDomainState(domain: DomainRef, options: CallOptions = {}): Promise<DomainState> {
    throwIfAborted(options.signal)
    return this.#table.get(domain).state
  }

  async getDomainInfo(domain: DomainRef, options: CallOptions = {}): Promise<DomainInfo> {
    throwIfAborted(options.signal)
    const entry = this.#table.get(domain)
    return infoOf(entry, entry.active && (await usedBy(entry.active.guest, options)))
  }

  subscribe(listener: (event: DomainEvent) => void): Unsubscribe {
    return this.#events.subscribe(listener)
  }

  async #close(): Promise<void> {
    await this.#foreign?.close()
    const reason = new VirError('OPERATION_ABORTED', `The connection to ${this.uri} was closed`)
    await Promise.all(
      this.#table.all().map(async (entry) => {
        entry.active?.shutdown?.callOff()
        await entry.jobs.drain(reason)
        await entry.active?.guest.release()
      }),
    )
    this.#events.clear()
    await this.#parts.hypervisor.close()
  }

  #retain(uuids: () => ReadonlySet<string>): void {
    const { hypervisor, logger } = this.#parts
    try {
      if (hypervisor.retain) hypervisor.retain(uuids())
    } catch (error) {
      logger.error('What was kept for former domains could not be freed', { error: messageOf(error) })
    }
  }

  #savedParts(): SavedStatesParts {
    return {
      hypervisor: this.#parts.hypervisor,
      places: this.#parts.places,
      keeper: this.#keeper,
      table: this.#table,
      change: (domain, name, options, work) => this.#jobs.change(domain, name, options, work),
      enter: (entry, name, options, work) => this.#jobs.run(entry, name, options, work),
    }
  }
}

/** What the guest shows of itself; its metadata is ours. */
function shownDocument({ guest, document }: ActiveGuest): DomainXml {
  const { title, description, metadata } = metadataOf(document)
  const shown = guest.document
  const isSame = shown.title === title && shown.description === description && shown.metadata === metadata
  return isSame ? shown : { ...shown, title, description, metadata }
}
