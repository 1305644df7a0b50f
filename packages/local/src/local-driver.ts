import { tracingChannel } from 'node:diagnostics_channel'
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
  type TuningRole,
  throwIfAborted,
  type UndefineOptions,
  type Unsubscribe,
  type VersionInfo,
  VirError,
  type XmlOptions,
} from '@covirt/core'
import { type DomainXml, formatDomain, lifecycleOf } from '@covirt/xml'
import { changeMetadata, metadataOf } from './change-metadata.js'
import { prepareDefinition } from './definition.js'
import { DocumentChanges } from './document-changes.js'
import { DocumentTexts } from './document-texts.js'
import type { ActiveGuest, DomainEntry } from './domain-entry.js'
import { DomainLoader } from './domain-loader.js'
import { checkDomainName } from './domain-name.js'
import { flagsOf, infoOf, statsOf, usedBy } from './domain-stats.js'
import { DomainTable } from './domain-table.js'
import { ForeignKeeper } from './foreign-keeper.js'
import { GuestKeeper, type GuestKeeperParts } from './guest-keeper.js'
import type { Guest, GuestAccess, Hypervisor, StorageSnapshots } from './hypervisor.js'
import { LocalDevices } from './local-devices.js'
import { LocalSnapshots } from './local-snapshots.js'
import { LocalTuning } from './local-tuning.js'
import {
  requireActive,
  requireInactive,
  requireNotCrashed,
  requireOtherName,
  requireOwn,
  requirePersistent,
  requireReachable,
} from './refusals.js'
import { SavedStates, type SavedStatesParts } from './saved-states.js'
import { repeatShutdown } from './shutdown-request.js'

/** What a {@link LocalDriver} is made of. */
export interface LocalDriverParts extends Omit<GuestKeeperParts, 'events'> {
  /** Canonical. */
  readonly uri: string
  /** Calls `dispose` when the last of those who share the driver closes it. Default: at once. */
  readonly release?: (dispose: () => Promise<void>) => Promise<void>
  /** What it runs on. Default: this host. */
  readonly readNodeInfo?: () => Promise<NodeInfo>
}

const trace = tracingChannel('covirt:job')

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
  readonly #texts = new DocumentTexts()
  readonly #keeper: GuestKeeper
  readonly #events: EventHub<DomainEvent>
  readonly #saved: SavedStates | undefined

  private constructor(parts: LocalDriverParts) {
    this.#parts = parts
    this.type = parts.hypervisor.type
    this.uri = parts.uri
    this.#table = new DomainTable(parts.clock, (uuids) => this.#retain(uuids))
    this.#events = new EventHub(parts.logger)
    this.#keeper = new GuestKeeper(this.#keeperParts)
    Object.assign(this, parts.hypervisor.roles(this.#guestAccess()))
    const { foreign } = parts.hypervisor
    if (foreign) this.#foreign = new ForeignKeeper(foreign, this.#keeperParts, this.#table, this.#keeper)
    this.#snapshots = this.#openSnapshots(parts.hypervisor.snapshots)
    if (this.#snapshots) this.snapshots = this.#snapshots
    this.#saved = parts.hypervisor.savesGuests ? new SavedStates(this.#savedParts()) : undefined
    if (this.#saved) this.savedState = this.#saved
    this.#changes = new DocumentChanges({ ...parts, keeper: this.#keeper, change: this.#change.bind(this) })
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
      find: (domain) => this.#table.get(domain),
      requireNoState: async (entry) => this.#saved?.requireNone(entry),
      change: (domain, name, options, work) => this.#change(domain, name, options, work),
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

  async defineDomain(xml: string, options: CallOptions = {}): Promise<DomainRef> {
    throwIfAborted(options.signal)
    const document = this.#prepare(xml)
    await this.#leave(document)
    const entry = this.#table.reserve(document.uuid, document.name)
    return this.#job(entry, 'define', options, async ({ signal }) => {
      this.#table.reserve(document.uuid, document.name)
      await this.#parts.store.saveDefinition(entry.name, formatDomain(document), { signal })
      const detail = entry.definition ? 'updated' : 'added'
      if (entry.isForeign) entry.autostart = false
      entry.isForeign = false
      entry.definition = document
      this.#events.emit({ type: 'lifecycle', domain: entry.ref, event: 'defined', detail })
      return entry.ref
    })
  }

  async undefineDomain(domain: DomainRef, options: UndefineOptions = {}): Promise<void> {
    await this.#change(domain, 'undefine', options, async (entry) => {
      requirePersistent(entry)
      requireOwn(entry)
      await this.#snapshots?.requireNone(entry)
      if (options.managedSave) await this.#saved?.remove(entry)
      else await this.#saved?.requireNone(entry)
      await this.#parts.store.removeDefinition(entry.name)
      entry.definition = undefined
      entry.autostart = false
      this.#events.emit({ type: 'lifecycle', domain: entry.ref, event: 'undefined', detail: 'removed' })
    })
  }

  async renameDomain(domain: DomainRef, newName: string, options: CallOptions = {}): Promise<DomainRef> {
    checkDomainName(newName)
    return this.#change(domain, 'rename', options, async (entry, { signal }) => {
      const definition = requirePersistent(entry)
      requireOwn(entry)
      requireInactive(entry)
      requireOtherName(entry, newName)
      const before = entry.ref
      const document = this.#parts.hypervisor.prepare({ ...definition, name: newName })
      await this.#table.rename(entry, newName, async () => {
        throwIfAborted(signal)
        await this.#parts.store.renameDefinition(before.name, newName, formatDomain(document))
      })
      entry.definition = document
      await this.#keeper.renamePlaces(before, entry)
      this.#events.emit({ type: 'lifecycle', domain: before, event: 'undefined', detail: 'renamed' })
      this.#events.emit({ type: 'lifecycle', domain: entry.ref, event: 'defined', detail: 'renamed' })
      return entry.ref
    })
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
    return this.#texts.of(live ? shownDocument(live) : inactiveDocument, { id: live?.id, secure })
  }

  async isDomainPersistent(domain: DomainRef, options: CallOptions = {}): Promise<boolean> {
    throwIfAborted(options.signal)
    return this.#table.get(domain).definition !== undefined
  }

  async getAutostart(domain: DomainRef, options: CallOptions = {}): Promise<boolean> {
    throwIfAborted(options.signal)
    return this.#table.get(domain).autostart
  }

  async setAutostart(domain: DomainRef, autostart: boolean, options: CallOptions = {}): Promise<void> {
    await this.#change(domain, 'autostart', options, async (entry) => {
      requirePersistent(entry)
      requireOwn(entry)
      await this.#parts.store.setAutostart(entry.name, autostart)
      entry.autostart = autostart
    })
  }

  async createDomain(xml: string, options: StartOptions = {}): Promise<DomainRef> {
    throwIfAborted(options.signal)
    const document = this.#prepare(xml)
    await this.#leave(document)
    const entry = this.#table.reserve(document.uuid, document.name)
    return this.#job(entry, 'create', options, async ({ signal }) => {
      this.#table.reserve(document.uuid, document.name)
      requireOwn(entry)
      requireInactive(entry)
      return markStarting(entry, async () => {
        if (!options.forceBoot) await this.#saved?.requireNone(entry)
        return this.#launch(entry, document, { ...options, signal })
      })
    })
  }

  async startDomain(domain: DomainRef, options: StartOptions = {}): Promise<DomainRef> {
    return this.#change(domain, 'start', options, async (entry, { signal }) => {
      requireInactive(entry)
      return markStarting(entry, async () => {
        const saved = options.forceBoot ? undefined : await this.#saved?.find(entry)
        if (!saved) return this.#launch(entry, entry.inactiveDocument, { ...options, signal })
        await using image = saved
        return await image.launch({ paused: options.paused ?? false, signal })
      })
    })
  }

  async shutdownDomain(domain: DomainRef, options: ShutdownOptions = {}): Promise<void> {
    await this.#changeGuest(domain, 'shutdown', options, async (entry, active, { signal }) => {
      await this.#wake(entry, active.guest, signal)
      await active.guest.shutdown(options.mode, { signal })
      repeatShutdown(entry, active, { askedAt: this.#parts.clock.now(), mode: options.mode }, this.#parts)
      await this.#keeper.saveStatus(entry)
    })
  }

  async rebootDomain(domain: DomainRef, options: ShutdownOptions = {}): Promise<void> {
    await this.#changeGuest(domain, 'reboot', options, async (entry, active, { signal }) => {
      await this.#wake(entry, active.guest, signal)
      await active.guest.reboot(options.mode, { signal })
      active.shutdown?.over.abort()
      active.shutdown = undefined
      await this.#keeper.saveStatus(entry)
    })
  }

  async destroyDomain(domain: DomainRef, options: CallOptions = {}): Promise<void> {
    throwIfAborted(options.signal)
    const entry = this.#table.get(domain)
    if (!entry.starting && !entry.restart && !entry.lost) requireActive(entry)
    await entry.jobs.preempt('destroy', options, () => this.#keeper.destroy(entry))
  }

  async suspendDomain(domain: DomainRef, options: CallOptions = {}): Promise<void> {
    await this.#changeGuest(domain, 'suspend', options, async (entry, { guest }, { signal }) => {
      requireNotCrashed(entry)
      await this.#keeper.pause(entry, guest, { signal })
    })
  }

  async resumeDomain(domain: DomainRef, options: CallOptions = {}): Promise<void> {
    await this.#changeGuest(domain, 'resume', options, async (entry, { guest }, { signal }) => {
      requireNotCrashed(entry)
      await this.#keeper.resume(entry, guest, { signal })
    })
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
        entry.active?.shutdown?.over.abort()
        await entry.jobs.drain(reason)
        await entry.active?.guest.release()
      }),
    )
    this.#events.clear()
    await this.#parts.hypervisor.close()
  }

  #retain(uuids: ReadonlySet<string>): void {
    const { hypervisor, logger } = this.#parts
    try {
      hypervisor.retain?.(uuids)
    } catch (error) {
      logger.error('What was kept for former domains could not be freed', { error: messageOf(error) })
    }
  }

  #prepare(xml: string): DomainXml & { readonly uuid: string } {
    const document = prepareDefinition(xml, this.#parts.hypervisor)
    // What is wrong in there is to be told to whoever writes it, not to the next boot.
    lifecycleOf(document)
    return document
  }

  /** Lets domains that have gone, but are being cleared up after, give this name and uuid free. */
  async #leave({ uuid, name }: DomainXml & { readonly uuid: string }): Promise<void> {
    for (let entry = this.#table.leaving(uuid, name); entry; entry = this.#table.leaving(uuid, name))
      await entry.jobs.whenIdle()
  }

  async #launch(entry: DomainEntry, document: DomainXml, options: StartOptions): Promise<DomainRef> {
    requireInactive(entry)
    const { paused = false, signal } = options
    const image = options.forceBoot ? await this.#saved?.imageOf(entry) : undefined
    await this.#keeper.launch(entry, document, { paused, image, signal })
    return entry.ref
  }

  #savedParts(): SavedStatesParts {
    return {
      hypervisor: this.#parts.hypervisor,
      places: this.#parts.places,
      keeper: this.#keeper,
      table: this.#table,
      change: (domain, name, options, work) => this.#change(domain, name, options, work),
      enter: (entry, name, options, work) => this.#job(entry, name, options, work),
    }
  }

  /** A guest that does not run cannot act on what it is asked. */
  async #wake(entry: DomainEntry, guest: Guest, signal: AbortSignal | undefined): Promise<void> {
    requireNotCrashed(entry)
    await this.#keeper.resume(entry, guest, { signal })
  }

  /** Runs `work` as a job of an existing domain. */
  async #change<T>(
    domain: DomainRef,
    name: string,
    options: CallOptions,
    work: (entry: DomainEntry, options: CallOptions) => Promise<T>,
  ): Promise<T> {
    throwIfAborted(options.signal)
    const entry = this.#table.get(domain)
    return this.#job(entry, name, options, (running) => work(this.#table.get(domain), running))
  }

  /** Runs `work` as a job of an active domain. */
  #changeGuest<T>(
    domain: DomainRef,
    name: string,
    options: CallOptions,
    work: (entry: DomainEntry, active: ActiveGuest, options: CallOptions) => Promise<T>,
  ): Promise<T> {
    return this.#change(domain, name, options, (entry, running) => work(entry, requireActive(entry), running))
  }

  #job<T>(
    entry: DomainEntry,
    name: string,
    options: CallOptions,
    work: (options: CallOptions) => Promise<T>,
  ): Promise<T> {
    const context = { driver: this.type, domain: entry.name, job: name }
    return entry.jobs.run(name, options, (running) => trace.tracePromise(() => work(running), context))
  }

  #guestAccess(): GuestAccess {
    return {
      query: async (domain, options = {}, query) => {
        throwIfAborted(options.signal)
        return query(requireActive(this.#table.get(domain)).guest, options)
      },
      look: async (domain, options = {}, query) => {
        throwIfAborted(options.signal)
        const entry = this.#table.get(domain)
        requireReachable(entry)
        const { ref, active, inactiveDocument } = entry
        const document = active?.document ?? inactiveDocument
        return query({ domain: ref, document, guest: active?.guest }, options)
      },
      job: async (domain, name, options = {}, job) => {
        const { jobs } = this.#table.get(domain)
        const result = await this.#changeGuest(domain, name, options, (_entry, { guest }, running) =>
          job(guest, running),
        )
        // What the guest has told meanwhile is to be known before the call resolves.
        await jobs.runNext('settle', async () => {})
        return result
      },
    }
  }
}

/** From the first moment on, `destroy` is not refused but ends the start. */
async function markStarting<T>(entry: DomainEntry, start: () => Promise<T>): Promise<T> {
  entry.starting = true
  try {
    return await start()
  } finally {
    entry.starting = false
  }
}

/** What the guest shows of itself; its metadata is ours. */
function shownDocument({ guest, document }: ActiveGuest): DomainXml {
  const { title, description, metadata } = metadataOf(document)
  const shown = guest.document
  const isSame = shown.title === title && shown.description === description && shown.metadata === metadata
  return isSame ? shown : { ...shown, title, description, metadata }
}
