import { hostname } from 'node:os'
import {
  type CallOptions,
  type Clock,
  type ConnectUri,
  type ConsoleRole,
  type DomainFilter,
  type DomainInfo,
  type DomainKey,
  type DomainMetadata,
  type DomainRef,
  type DomainState,
  type DomainStats,
  type Driver,
  type DriverEvent,
  formatConnectUri,
  type GuestAgentRole,
  type GuestKind,
  libraryVersion,
  type MetadataOptions,
  type NodeInfo,
  type OpenOptions,
  type ResetRole,
  readNodeInfo,
  type SavedStateRole,
  type ShutdownOptions,
  type SnapshotsRole,
  type StartOptions,
  type SuspendOptions,
  systemClock,
  throwIfAborted,
  type UndefineOptions,
  type Unsubscribe,
  type VersionInfo,
  VirError,
  type XmlOptions,
} from '@covirt/core'
import type { HostDocuments } from './documents.js'
import { KeyedQueue } from './keyed-queue.js'
import { type DriverStatus, type HostMember, type OpenedMember, openMember } from './member.js'
import { noUsableDriver } from './no-usable-driver.js'
import { routedRoles } from './routed-roles.js'
import { Routing } from './routing.js'

/** Of what a host connection is made. */
export interface HostDriverOptions extends OpenOptions {
  readonly uri: ConnectUri
  readonly members: readonly HostMember[]
  readonly documents: HostDocuments
}

/**
 * One driver over all local ones. New domains go to the driver of their `type`, calls to the driver that has the
 * domain; names and uuids are unique over all of them. A role is there if any driver has it, and refuses with
 * `NO_SUPPORT` for domains of the others. A driver that cannot be used here hides none of the others.
 */
export class HostDriver implements Driver {
  readonly type = 'COVIRT'
  readonly uri: string
  readonly console?: ConsoleRole
  readonly reset?: ResetRole
  readonly guestAgent?: GuestAgentRole
  readonly snapshots?: SnapshotsRole
  readonly savedState?: SavedStateRole

  readonly #documents: HostDocuments
  readonly #members: readonly OpenedMember[]
  readonly #drivers: readonly Driver[]
  readonly #routing: Routing
  readonly #entering: KeyedQueue
  readonly #stopWatching: Unsubscribe

  /**
   * Opens every member that can be used here. Rejects where a member's domains exist but belong to another
   * process (`RESOURCE_BUSY`), and where no member can be used (`NO_CONNECT`; `unusableDriversOf` the error has
   * the reasons).
   */
  static async open({ uri, members, documents, ...options }: HostDriverOptions): Promise<HostDriver> {
    throwIfAborted(options.signal)
    const outcomes = await Promise.allSettled(members.map((member) => openMember(member, uri, options)))
    const opened = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed) {
      await Promise.allSettled(opened.map(({ driver }) => driver?.close()))
      throw failed.reason
    }
    if (!opened.some(({ driver }) => driver)) throw noUsableDriver(opened.map(({ status }) => status))
    return new HostDriver({ uri: formatConnectUri(uri), documents, members: opened, clock: options.clock })
  }

  private constructor({
    uri,
    documents,
    members,
    clock = systemClock,
  }: {
    readonly uri: string
    readonly documents: HostDocuments
    readonly members: readonly OpenedMember[]
    readonly clock: Clock | undefined
  }) {
    this.uri = uri
    this.#documents = documents
    this.#entering = new KeyedQueue(clock)
    this.#members = members
    this.#drivers = members.flatMap(({ driver }) => driver ?? [])
    this.#routing = new Routing(this.#drivers)
    this.#stopWatching = this.subscribe((event) => this.#forgetIfGone(event))
    Object.assign(
      this,
      routedRoles(this.#drivers, this.#routing, (...entering) => this.#enter(...entering)),
    )
  }

  /** Every member with what became of it, in the order in which they were given. */
  drivers(): readonly DriverStatus[] {
    return this.#members.map(({ status }) => status)
  }

  async getCapabilities(options?: CallOptions): Promise<string> {
    const documents = await Promise.all(this.#drivers.map((driver) => driver.getCapabilities(options)))
    return this.#documents.mergeCapabilities(documents)
  }

  async getDomainCapabilities(kind: GuestKind = {}, options?: CallOptions): Promise<string> {
    return this.#documents.domainCapabilitiesOf(await this.getCapabilities(options), kind)
  }

  async getHostname(options?: CallOptions): Promise<string> {
    throwIfAborted(options?.signal)
    return hostname()
  }

  async getNodeInfo(options?: CallOptions): Promise<NodeInfo> {
    throwIfAborted(options?.signal)
    return readNodeInfo()
  }

  async getVersion(options?: CallOptions): Promise<VersionInfo> {
    throwIfAborted(options?.signal)
    const versions = await Promise.all(this.#drivers.map((driver) => driver.getVersion(options)))
    return {
      library: libraryVersion,
      hypervisors: Object.assign({}, ...versions.map(({ hypervisors }) => hypervisors)),
    }
  }

  async listDomains(filter?: DomainFilter, options?: CallOptions): Promise<readonly DomainRef[]> {
    throwIfAborted(options?.signal)
    return (await Promise.all(this.#drivers.map((driver) => driver.listDomains(filter, options)))).flat()
  }

  async getAllDomainStats(filter?: DomainFilter, options?: CallOptions): Promise<readonly DomainStats[]> {
    throwIfAborted(options?.signal)
    return (
      await Promise.all(this.#drivers.map((driver) => driver.getAllDomainStats(filter, options)))
    ).flat()
  }

  async lookupDomain(key: DomainKey, options?: CallOptions): Promise<DomainRef> {
    throwIfAborted(options?.signal)
    const found = await this.#routing.find(key)
    if (found) return found.domain
    const [[what, value] = []] = Object.entries(key)
    throw new VirError('NO_DOMAIN', `There is no domain with ${what} '${value}'`, {
      domain: 'DOM',
      hint: "'covirt list --all' shows the domains that there are",
    })
  }

  defineDomain(xml: string, options?: CallOptions): Promise<DomainRef> {
    return this.#enter('define', xml, options, (driver) => driver.defineDomain(xml, options))
  }

  createDomain(xml: string, options?: StartOptions): Promise<DomainRef> {
    return this.#enter('create', xml, options, (driver) => driver.createDomain(xml, options))
  }

  undefineDomain(domain: DomainRef, options?: UndefineOptions): Promise<void> {
    return this.#routing.call(domain, (driver) => driver.undefineDomain(domain, options))
  }

  renameDomain(domain: DomainRef, newName: string, options?: CallOptions): Promise<DomainRef> {
    const terms = {
      name: `'rename' to '${newName}'`,
      keys: [`name ${newName}`],
      signal: options?.signal,
    }
    return this.#routing.call(domain, (driver) =>
      this.#entering.run(terms, async () => {
        await this.#refuseElsewhere({ name: newName }, driver)
        return driver.renameDomain(domain, newName, options)
      }),
    )
  }

  setDomainMetadata(domain: DomainRef, metadata: DomainMetadata, options?: MetadataOptions): Promise<void> {
    return this.#routing.call(domain, (driver) => driver.setDomainMetadata(domain, metadata, options))
  }

  getDomainXml(domain: DomainRef, options?: XmlOptions): Promise<string> {
    return this.#routing.call(domain, (driver) => driver.getDomainXml(domain, options))
  }

  isDomainPersistent(domain: DomainRef, options?: CallOptions): Promise<boolean> {
    return this.#routing.call(domain, (driver) => driver.isDomainPersistent(domain, options))
  }

  getAutostart(domain: DomainRef, options?: CallOptions): Promise<boolean> {
    return this.#routing.call(domain, (driver) => driver.getAutostart(domain, options))
  }

  setAutostart(domain: DomainRef, autostart: boolean, options?: CallOptions): Promise<void> {
    return this.#routing.call(domain, (driver) => driver.setAutostart(domain, autostart, options))
  }

  startDomain(domain: DomainRef, options?: StartOptions): Promise<DomainRef> {
    return this.#routing.call(domain, (driver) => driver.startDomain(domain, options))
  }

  shutdownDomain(domain: DomainRef, options?: ShutdownOptions): Promise<void> {
    return this.#routing.call(domain, (driver) => driver.shutdownDomain(domain, options))
  }

  rebootDomain(domain: DomainRef, options?: ShutdownOptions): Promise<void> {
    return this.#routing.call(domain, (driver) => driver.rebootDomain(domain, options))
  }

  destroyDomain(domain: DomainRef, options?: CallOptions): Promise<void> {
    return this.#routing.call(domain, (driver) => driver.destroyDomain(domain, options))
  }

  suspendDomain(domain: DomainRef, options?: SuspendOptions): Promise<void> {
    return this.#routing.call(domain, (driver) => driver.suspendDomain(domain, options))
  }

  resumeDomain(domain: DomainRef, options?: CallOptions): Promise<void> {
    return this.#routing.call(domain, (driver) => driver.resumeDomain(domain, options))
  }

  getDomainState(domain: DomainRef, options?: CallOptions): Promise<DomainState> {
    return this.#routing.call(domain, (driver) => driver.getDomainState(domain, options))
  }

  getDomainInfo(domain: DomainRef, options?: CallOptions): Promise<DomainInfo> {
    return this.#routing.call(domain, (driver) => driver.getDomainInfo(domain, options))
  }

  subscribe(listener: (event: DriverEvent) => void): Unsubscribe {
    const endings = this.#drivers.map((driver) => driver.subscribe(listener))
    return () => {
      for (const end of endings) end()
    }
  }

  async close(): Promise<void> {
    this.#stopWatching()
    this.#routing.close()
    const closed = await Promise.allSettled(this.#drivers.map((driver) => driver.close()))
    const failed = closed.find((outcome) => outcome.status === 'rejected')
    if (failed) throw failed.reason
  }

  /**
   * Hands a document to the driver of its type. Documents with the same name or uuid go one after the other,
   * so that no two drivers can take the same one in at the same time.
   */
  async #enter(
    verb: string,
    xml: string,
    options: CallOptions | undefined,
    action: (driver: Driver) => Promise<DomainRef>,
  ): Promise<DomainRef> {
    throwIfAborted(options?.signal)
    const { type, name, uuid } = this.#documents.identify(xml)
    const driver = this.#driverOfType(type)
    const keys = [name && `name ${name}`, uuid && `uuid ${uuid}`].filter((key) => key !== undefined)
    const terms = { name: `'${verb}' of '${name ?? uuid}'`, keys, signal: options?.signal }
    return this.#entering.run(terms, async () => {
      throwIfAborted(options?.signal)
      if (name !== undefined) await this.#refuseElsewhere({ name }, driver)
      if (uuid !== undefined) await this.#refuseElsewhere({ uuid }, driver)
      return action(driver)
    })
  }

  async #refuseElsewhere(key: { name: string } | { uuid: string }, driver: Driver): Promise<void> {
    const found = await this.#routing.find(key)
    if (!found || found.driver === driver) return
    const { name, uuid } = found.domain
    throw new VirError(
      'DOM_EXIST',
      `Domain '${name}' exists already with uuid ${uuid}, in the ${found.driver.type} driver`,
      {
        domain: 'DOM',
        hint: 'Choose another name and uuid, or undefine that domain first',
      },
    )
  }

  #driverOfType(type: string | undefined): Driver {
    const known = `The types known here: ${this.drivers()
      .flatMap(({ domainTypes }) => domainTypes)
      .join(', ')}`
    if (type === undefined)
      throw new VirError('XML_ERROR', 'The <domain> has no type', { domain: 'DOM', hint: known })
    const member = this.#members.find(({ status }) => status.domainTypes.includes(type))
    if (member?.driver) return member.driver
    if (!member || member.status.available) {
      throw new VirError('CONFIG_UNSUPPORTED', `There is no driver for domains of type '${type}'`, {
        domain: 'DOM',
        hint: known,
      })
    }
    throw new VirError(
      'CONFIG_UNSUPPORTED',
      `Domains of type '${type}' cannot be run here: ${member.status.reason}`,
      {
        domain: 'DOM',
        hint: "'covirt drivers' shows what can be used here",
      },
    )
  }

  #forgetIfGone(event: DriverEvent): void {
    if (event.type !== 'lifecycle') return
    if (event.event === 'stopped' || event.event === 'undefined') this.#routing.forget(event.domain.uuid)
  }
}
