import {
  type CallOptions,
  type DomainFilter,
  type DomainInfo,
  type DomainKey,
  type DomainMetadata,
  type DomainRef,
  type DomainState,
  type DomainStats,
  type Driver,
  type DriverEvent,
  type DriverRoles,
  type GuestKind,
  isVirError,
  type MetadataOptions,
  type NodeInfo,
  roleNames,
  type ShutdownOptions,
  type StartOptions,
  type SuspendOptions,
  type UndefineOptions,
  type Unsubscribe,
  type VersionInfo,
  VirError,
  type XmlOptions,
} from '@covirt/core'
import { parseDomain } from '@covirt/xml'
import type { Grant } from './access-policy.js'

type MayAccess = NonNullable<Grant['mayAccess']>

/** A driver in which only those domains exist that a grant tells of. */
export class GuardedDriver implements Driver {
  readonly type: string
  readonly uri: string
  readonly #driver: Driver
  readonly #mayAccess: MayAccess

  constructor(driver: Driver, mayAccess: MayAccess) {
    this.type = driver.type
    this.uri = driver.uri
    this.#driver = driver
    this.#mayAccess = mayAccess
    for (const name of roleNames) {
      const role = driver[name]
      if (role) Object.assign(this, { [name]: this.#guardRole(role) })
    }
  }

  getCapabilities(options?: CallOptions): Promise<string> {
    return this.#driver.getCapabilities(options)
  }

  getDomainCapabilities(kind?: GuestKind, options?: CallOptions): Promise<string> {
    return this.#driver.getDomainCapabilities(kind, options)
  }

  getHostname(options?: CallOptions): Promise<string> {
    return this.#driver.getHostname(options)
  }

  getNodeInfo(options?: CallOptions): Promise<NodeInfo> {
    return this.#driver.getNodeInfo(options)
  }

  getVersion(options?: CallOptions): Promise<VersionInfo> {
    return this.#driver.getVersion(options)
  }

  async listDomains(filter?: DomainFilter, options?: CallOptions): Promise<readonly DomainRef[]> {
    return (await this.#driver.listDomains(filter, options)).filter(this.#mayAccess)
  }

  async getAllDomainStats(filter?: DomainFilter, options?: CallOptions): Promise<readonly DomainStats[]> {
    const stats = await this.#driver.getAllDomainStats(filter, options)
    return stats.filter(({ domain }) => this.#mayAccess(domain))
  }

  async lookupDomain(key: DomainKey, options?: CallOptions): Promise<DomainRef> {
    const found = await this.#driver.lookupDomain(key, options).catch((error) => {
      if (!isVirError(error, 'NO_DOMAIN')) throw error
      return undefined
    })
    if (found && this.#mayAccess(found)) return found
    const [[kind, value] = []] = Object.entries(key)
    // The same for both: a driver's own words would tell which domains there are.
    throw new VirError('NO_DOMAIN', `There is no domain with ${kind} '${value}'`, { domain: 'DOM' })
  }

  async defineDomain(xml: string, options?: CallOptions): Promise<DomainRef> {
    await this.#checkDocument(xml, options)
    return this.#driver.defineDomain(xml, options)
  }

  async undefineDomain(domain: DomainRef, options?: UndefineOptions): Promise<void> {
    return this.#driver.undefineDomain(await this.#find(domain, options), options)
  }

  async renameDomain(domain: DomainRef, newName: string, options?: CallOptions): Promise<DomainRef> {
    const found = await this.#find(domain, options)
    this.#checkNew({ name: newName, uuid: found.uuid })
    return this.#driver.renameDomain(found, newName, options)
  }

  async setDomainMetadata(
    domain: DomainRef,
    metadata: DomainMetadata,
    options?: MetadataOptions,
  ): Promise<void> {
    return this.#driver.setDomainMetadata(await this.#find(domain, options), metadata, options)
  }

  async getDomainXml(domain: DomainRef, options?: XmlOptions): Promise<string> {
    return this.#driver.getDomainXml(await this.#find(domain, options), options)
  }

  async isDomainPersistent(domain: DomainRef, options?: CallOptions): Promise<boolean> {
    return this.#driver.isDomainPersistent(await this.#find(domain, options), options)
  }

  async getAutostart(domain: DomainRef, options?: CallOptions): Promise<boolean> {
    return this.#driver.getAutostart(await this.#find(domain, options), options)
  }

  async setAutostart(domain: DomainRef, autostart: boolean, options?: CallOptions): Promise<void> {
    return this.#driver.setAutostart(await this.#find(domain, options), autostart, options)
  }

  async createDomain(xml: string, options?: StartOptions): Promise<DomainRef> {
    await this.#checkDocument(xml, options)
    return this.#driver.createDomain(xml, options)
  }

  async startDomain(domain: DomainRef, options?: StartOptions): Promise<DomainRef> {
    return this.#driver.startDomain(await this.#find(domain, options), options)
  }

  async shutdownDomain(domain: DomainRef, options?: ShutdownOptions): Promise<void> {
    return this.#driver.shutdownDomain(await this.#find(domain, options), options)
  }

  async rebootDomain(domain: DomainRef, options?: ShutdownOptions): Promise<void> {
    return this.#driver.rebootDomain(await this.#find(domain, options), options)
  }

  async destroyDomain(domain: DomainRef, options?: CallOptions): Promise<void> {
    return this.#driver.destroyDomain(await this.#find(domain, options), options)
  }

  async suspendDomain(domain: DomainRef, options?: SuspendOptions): Promise<void> {
    return this.#driver.suspendDomain(await this.#find(domain, options), options)
  }

  async resumeDomain(domain: DomainRef, options?: CallOptions): Promise<void> {
    return this.#driver.resumeDomain(await this.#find(domain, options), options)
  }

  async getDomainState(domain: DomainRef, options?: CallOptions): Promise<DomainState> {
    return this.#driver.getDomainState(await this.#find(domain, options), options)
  }

  async getDomainInfo(domain: DomainRef, options?: CallOptions): Promise<DomainInfo> {
    return this.#driver.getDomainInfo(await this.#find(domain, options), options)
  }

  subscribe(listener: (event: DriverEvent) => void): Unsubscribe {
    return this.#driver.subscribe((event) => {
      if (event.type === 'resync' || this.#mayAccess(event.domain)) listener(event)
    })
  }

  close(): Promise<void> {
    return this.#driver.close()
  }

  /** The name in a reference is the client's word; only what the driver says of the uuid counts. */
  async #find(domain: DomainRef, options: CallOptions | undefined): Promise<DomainRef> {
    return this.lookupDomain({ uuid: domain.uuid }, options)
  }

  async #checkDocument(xml: string, options: CallOptions | undefined): Promise<void> {
    const { name, uuid = '' } = parseDomain(xml)
    this.#checkNew({ name, uuid })
    if (uuid === '') return
    // Whose uuid it is already, the driver would say with its name.
    const found = await this.#driver.lookupDomain({ uuid }, options).catch((error) => {
      if (!isVirError(error, 'NO_DOMAIN')) throw error
    })
    if (found && !this.#mayAccess(found))
      throw new VirError('ACCESS_DENIED', `You may have no domain with the uuid ${uuid}`, {
        domain: 'ACCESS',
      })
  }

  #checkNew(domain: Pick<DomainRef, 'name' | 'uuid'>): void {
    if (this.#mayAccess(domain)) return
    throw new VirError('ACCESS_DENIED', `You may have no domain named '${domain.name}'`, { domain: 'ACCESS' })
  }

  /** What a role is told first is the domain; what it does without one would go past the grant. */
  #guardRole<R extends DriverRoles[keyof DriverRoles]>(role: R): R {
    type Method = (domain: DomainRef, ...args: unknown[]) => Promise<unknown>
    const guard =
      (method: Method): Method =>
      async (domain, ...args) =>
        method.call(role, await this.#find(requireReference(domain), undefined), ...args)
    return new Proxy(role, {
      get: (target, key) => {
        const member: unknown = Reflect.get(target, key)
        return typeof member === 'function' ? guard(member as Method) : member
      },
    })
  }
}

function requireReference(domain: DomainRef | string): DomainRef {
  if (typeof domain === 'object') return domain
  throw new VirError('ACCESS_DENIED', 'What is not in a domain that you may have is not for you', {
    domain: 'ACCESS',
  })
}
