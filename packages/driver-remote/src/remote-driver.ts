import {
  type CallOptions,
  type ConnectUri,
  type DomainFilter,
  type DomainInfo,
  type DomainKey,
  type DomainMetadata,
  type DomainRef,
  type DomainState,
  type DomainStats,
  type Driver,
  type DriverEvent,
  EventHub,
  isVirError,
  type MetadataOptions,
  type NodeInfo,
  type OpenOptions,
  type OptionalRoles,
  type ShutdownMode,
  type ShutdownOptions,
  type StartOptions,
  silentLogger,
  systemClock,
  type UndefineOptions,
  type Unsubscribe,
  type VersionInfo,
  VirError,
  type XmlOptions,
} from '@covirt/core'
import { procedures, stateFromNumbers } from '@covirt/protocol'
import { checkDocument, documentRefusal } from './document-refusal.js'
import {
  infoOf,
  listDomains,
  statisticsOfCovirt,
  statisticsOfLibvirt,
  unlessGone,
} from './domain-statistics.js'
import { DomainTypes } from './domain-types.js'
import { PeerCalls } from './peer-calls.js'
import { type PeerService, peerService } from './peer-service.js'
import { type LinkState, ReconnectingLink } from './reconnecting-link.js'
import { remoteRoles } from './remote-roles.js'
import { parseRemoteTarget, type RemoteTarget } from './remote-target.js'
import { type Peer, Session, type SessionOptions } from './session.js'
import { connectTo } from './transports/connect.js'

const startFlags = { paused: 1, forceBoot: 8 } as const
const undefineFlags = { managedSave: 1 } as const
const xmlFlags = { secure: 1, inactive: 2 } as const
/** virDomainShutdownFlagValues; those of a reboot are the same. */
const modeFlags: Readonly<Record<ShutdownMode, number>> = { acpi: 1, agent: 2, initctl: 4, signal: 8 }

/** How long it may take to reach the peer and to be let in. */
const connectTimeoutMs = 30_000
/** How long the peer may take to say good-bye. */
const closeTimeoutMs = 2000
/** How long a call waits for a peer that is away. */
const awayTimeoutMs = 30_000

/** virDomainModificationImpact. */
const metadataFlags = { live: 1, config: 2 }
/** virDomainMetadataType. */
const metadataTypes = { description: 0, title: 1, element: 2 }

/**
 * Domains that another process runs, here or on another host: any libvirt daemon or covirt server.
 *
 * **When the connection is lost**, it is made again by itself, with pauses that grow to ten seconds, until the
 * driver is closed. Calls under way reject with `RPC`: whether they were carried out is not known, and none is sent
 * twice. Calls made meanwhile wait for the peer's return, half a minute at the most, then reject with `NO_CONNECT`.
 * Once it is back, subscribers are told `resync`, then the events that follow.
 */
export class RemoteDriver implements Driver {
  declare readonly console?: OptionalRoles['console']
  declare readonly reset?: OptionalRoles['reset']
  declare readonly guestAgent?: OptionalRoles['guestAgent']
  declare readonly exec?: OptionalRoles['exec']
  declare readonly processes?: OptionalRoles['processes']
  declare readonly addresses?: OptionalRoles['addresses']
  declare readonly files?: OptionalRoles['files']
  declare readonly nativeConfig?: OptionalRoles['nativeConfig']
  declare readonly snapshots?: OptionalRoles['snapshots']
  declare readonly savedState?: OptionalRoles['savedState']
  declare readonly graphics?: OptionalRoles['graphics']
  declare readonly keyboard?: OptionalRoles['keyboard']
  declare readonly nmi?: OptionalRoles['nmi']
  declare readonly guestTime?: OptionalRoles['guestTime']
  declare readonly statistics?: OptionalRoles['statistics']
  readonly uri: string
  readonly #events: EventHub<DriverEvent>
  readonly #links: EventHub<LinkState>
  readonly #types: DomainTypes
  readonly #link: ReconnectingLink
  readonly #calls: PeerCalls
  /** What stood behind the connection when it was opened; another peer at the same place may be another kind. */
  readonly #peer: Peer
  #closing: Promise<void> | undefined

  private constructor(parts: {
    readonly uri: string
    readonly events: EventHub<DriverEvent>
    readonly links: EventHub<LinkState>
    readonly link: ReconnectingLink
    readonly peer: Peer
    readonly target: RemoteTarget
  }) {
    this.uri = parts.uri
    this.#events = parts.events
    this.#links = parts.links
    this.#link = parts.link
    this.#peer = parts.peer
    this.#calls = new PeerCalls(parts.link, parts.target.callTimeoutMs)
    this.#types = new DomainTypes((domain, options) => unlessGone(this.getDomainXml(domain, options)))
    this.#events.subscribe((event) => this.#types.heard(event))
    Object.assign(this, remoteRoles(this.#calls, parts.peer))
  }

  /**
   * Connects to what `uri` names. `INVALID_ARG` where it makes no sense, `NO_CONNECT` where nobody answers there,
   * `AUTH_UNAVAILABLE` or `AUTH_FAILED` where the peer does not let us in; what the peer itself refuses with.
   */
  static async open(
    uri: ConnectUri,
    { clock = systemClock, logger = silentLogger, credentials, signal }: OpenOptions = {},
  ): Promise<RemoteDriver> {
    const target = parseRemoteTarget(uri)
    const events = new EventHub<DriverEvent>(logger)
    const links = new EventHub<LinkState>(logger)
    let peer: Peer | undefined
    const link: ReconnectingLink = await ReconnectingLink.open(
      {
        clock,
        awayTimeoutMs,
        connect: (connectSignal) => connect(target, { clock, logger, credentials, signal: connectSignal }),
        onSession: (session) => {
          if (peer) events.emit({ type: 'resync', reason: 'reconnected', dropped: undefined })
          peer ??= session.peer
        },
        onState: (state) => links.emit(state),
        onEvent: (event) => events.emit(event),
      },
      signal,
    )
    return new RemoteDriver({
      uri: target.uri,
      events,
      links,
      link,
      peer: peer as unknown as Peer,
      target,
    })
  }

  get type(): string {
    return this.#peer.type
  }

  async getCapabilities(options?: CallOptions): Promise<string> {
    return (await this.#calls.call(procedures.connectGetCapabilities, {}, options)).xml
  }

  async getHostname(options?: CallOptions): Promise<string> {
    return (await this.#calls.call(procedures.connectGetHostname, {}, options)).hostname
  }

  async getNodeInfo(options?: CallOptions): Promise<NodeInfo> {
    const { memoryKib, ...rest } = await this.#calls.call(procedures.nodeGetInfo, {}, options)
    return { ...rest, memoryKib: Number(memoryKib) }
  }

  /** `library` is the version of the peer's own. */
  async getVersion(options?: CallOptions): Promise<VersionInfo> {
    if (this.#peer.covirt) {
      const { library, hypervisors } = await this.#calls.call(procedures.covirtDescribe, {}, options)
      return {
        library,
        hypervisors: Object.fromEntries(hypervisors.map(({ name, version }) => [name, version])),
      }
    }
    const [library, hypervisor] = await Promise.all([
      this.#calls.call(procedures.connectGetLibVersion, {}, options),
      this.#calls.call(procedures.connectGetVersion, {}, options),
    ])
    return {
      library: versionText(library.version),
      hypervisors: { [this.type.toLowerCase()]: versionText(hypervisor.version) },
    }
  }

  async listDomains(filter: DomainFilter = {}, options: CallOptions = {}): Promise<readonly DomainRef[]> {
    if (filter.states === undefined) return listDomains(this.#calls, filter, options)
    return (await this.getAllDomainStats(filter, options)).map(({ domain }) => domain)
  }

  getAllDomainStats(filter: DomainFilter = {}, options: CallOptions = {}): Promise<readonly DomainStats[]> {
    if (this.#peer.covirt) return statisticsOfCovirt(this.#calls, filter, options)
    const typeOf = (domain: DomainRef, each: CallOptions) => this.#types.typeOf(domain, each)
    return statisticsOfLibvirt(this.#calls, typeOf, filter, options)
  }

  async lookupDomain(key: DomainKey, options?: CallOptions): Promise<DomainRef> {
    const { domainLookupByName, domainLookupByUuid, domainLookupById } = procedures
    if ('name' in key) return (await this.#calls.call(domainLookupByName, key, options)).domain
    if ('id' in key) return (await this.#calls.call(domainLookupById, key, options)).domain
    const uuid = canonicalUuid(key.uuid)
    return (await this.#calls.call(domainLookupByUuid, { uuid }, options)).domain
  }

  async defineDomain(xml: string, options?: CallOptions): Promise<DomainRef> {
    const answer = this.#calls.call(
      procedures.domainDefineXmlFlags,
      { xml: checkDocument(xml), flags: 0 },
      options,
    )
    return (await documentRefusal(answer)).domain
  }

  async undefineDomain(domain: DomainRef, { managedSave, signal }: UndefineOptions = {}): Promise<void> {
    const flags = managedSave ? undefineFlags.managedSave : 0
    await this.#calls.call(procedures.domainUndefineFlags, { domain, flags }, { signal })
  }

  async renameDomain(domain: DomainRef, newName: string, options?: CallOptions): Promise<DomainRef> {
    await this.#calls.call(procedures.domainRename, { domain, newName, flags: 0 }, options)
    return { uuid: domain.uuid, name: newName }
  }

  async setDomainMetadata(
    domain: DomainRef,
    metadata: DomainMetadata,
    { live, config, signal }: MetadataOptions = {},
  ): Promise<void> {
    const flags = (live ? metadataFlags.live : 0) | (config ? metadataFlags.config : 0)
    const args =
      metadata.kind === 'element'
        ? { metadata: metadata.xml, key: metadata.prefix, uri: metadata.namespace }
        : { metadata: metadata.text }
    const type = metadataTypes[metadata.kind]
    await this.#calls.call(procedures.domainSetMetadata, { domain, type, flags, ...args }, { signal })
  }

  async getDomainXml(domain: DomainRef, { inactive, secure, signal }: XmlOptions = {}): Promise<string> {
    const flags = (secure ? xmlFlags.secure : 0) | (inactive ? xmlFlags.inactive : 0)
    return (await this.#calls.call(procedures.domainGetXmlDesc, { domain, flags }, { signal })).xml
  }

  async isDomainPersistent(domain: DomainRef, options?: CallOptions): Promise<boolean> {
    return (await this.#calls.call(procedures.domainIsPersistent, { domain }, options)).persistent
  }

  async getAutostart(domain: DomainRef, options?: CallOptions): Promise<boolean> {
    return (await this.#calls.call(procedures.domainGetAutostart, { domain }, options)).autostart
  }

  async setAutostart(domain: DomainRef, autostart: boolean, options?: CallOptions): Promise<void> {
    await this.#calls.call(procedures.domainSetAutostart, { domain, autostart }, options)
  }

  async createDomain(xml: string, { paused, signal }: StartOptions = {}): Promise<DomainRef> {
    const flags = paused ? startFlags.paused : 0
    const answer = this.#calls.call(
      procedures.domainCreateXml,
      { xml: checkDocument(xml), flags },
      { signal },
    )
    return (await documentRefusal(answer)).domain
  }

  async startDomain(domain: DomainRef, options: StartOptions = {}): Promise<DomainRef> {
    const { paused, forceBoot, signal } = options
    const flags = (paused ? startFlags.paused : 0) | (forceBoot ? startFlags.forceBoot : 0)
    return (await this.#calls.call(procedures.domainCreateWithFlags, { domain, flags }, { signal })).domain
  }

  async shutdownDomain(domain: DomainRef, { mode, signal }: ShutdownOptions = {}): Promise<void> {
    const flags = mode === undefined ? 0 : modeFlags[mode]
    await this.#calls.call(procedures.domainShutdownFlags, { domain, flags }, { signal })
  }

  async rebootDomain(domain: DomainRef, { mode, signal }: ShutdownOptions = {}): Promise<void> {
    const flags = mode === undefined ? 0 : modeFlags[mode]
    await this.#calls.call(procedures.domainReboot, { domain, flags }, { signal })
  }

  async destroyDomain(domain: DomainRef, options?: CallOptions): Promise<void> {
    await this.#calls.call(procedures.domainDestroy, { domain }, options)
  }

  async suspendDomain(domain: DomainRef, options?: CallOptions): Promise<void> {
    await this.#calls.call(procedures.domainSuspend, { domain }, options)
  }

  async resumeDomain(domain: DomainRef, options?: CallOptions): Promise<void> {
    try {
      await this.#calls.call(procedures.domainResume, { domain }, options)
    } catch (error) {
      // libvirt's daemons refuse to resume what runs; its test driver has another word for it.
      const refused = isVirError(error, 'OPERATION_INVALID') || isVirError(error, 'INTERNAL_ERROR')
      if (this.#peer.covirt || !refused) throw error
      if ((await this.getDomainState(domain, options)).state !== 'running') throw error
    }
  }

  async getDomainState(domain: DomainRef, options?: CallOptions): Promise<DomainState> {
    return stateFromNumbers(await this.#calls.call(procedures.domainGetState, { domain, flags: 0 }, options))
  }

  getDomainInfo(domain: DomainRef, options: CallOptions = {}): Promise<DomainInfo> {
    return infoOf(this.#calls, domain, options)
  }

  subscribe(listener: (event: DriverEvent) => void): Unsubscribe {
    return this.#events.subscribe(listener)
  }

  /** What a covirt server offers under this name besides its driver; `undefined` where it does not. */
  service(name: string): PeerService | undefined {
    return this.#peer.covirt?.services.includes(name) ? peerService(this.#calls, name) : undefined
  }

  /** Calls `listener` whenever the connection to the peer is lost, made again, or closed. */
  onLinkState(listener: (state: LinkState) => void): Unsubscribe {
    return this.#links.subscribe(listener)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#events.clear()
    await this.#link.close(closeTimeoutMs)
    this.#links.clear()
  }
}

/** Reaches the peer and is let in, within bounded time. */
async function connect(target: RemoteTarget, options: SessionOptions): Promise<Session> {
  const over = new AbortController()
  const late = new AbortController()
  const signal = AbortSignal.any([options.signal, late.signal])
  const timer = options.clock.sleep(connectTimeoutMs, { signal: over.signal })
  timer.then(
    () => late.abort(),
    () => {},
  )
  try {
    return await Session.open(await connectTo(target, signal), target, { ...options, signal })
  } catch (error) {
    if (!late.signal.aborted) throw error
    const message = `The peer has not answered within ${connectTimeoutMs / 1000} s`
    throw new VirError('NO_CONNECT', message, { domain: 'RPC', cause: error })
  } finally {
    over.abort()
  }
}

function versionText(version: bigint): string {
  const number = Number(version)
  return [Math.floor(number / 1_000_000), Math.floor(number / 1000) % 1000, number % 1000].join('.')
}

/** As the protocol needs it; `NO_DOMAIN` where no domain can have it. */
function canonicalUuid(text: string): string {
  const digits = text.toLowerCase().replaceAll('-', '')
  if (!/^[0-9a-f]{32}$/.test(digits))
    throw new VirError('NO_DOMAIN', `No domain has the uuid '${text.slice(0, 100)}'`)
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
