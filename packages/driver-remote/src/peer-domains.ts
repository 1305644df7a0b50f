import {
  type CallOptions,
  type DomainFilter,
  type DomainInfo,
  type DomainKey,
  type DomainMetadata,
  type DomainRef,
  type DomainState,
  type DomainStats,
  type GuestKind,
  isVirError,
  type MetadataOptions,
  type NodeInfo,
  type ShutdownMode,
  type ShutdownOptions,
  type StartOptions,
  type UndefineOptions,
  type VersionInfo,
  VirError,
  type XmlOptions,
} from '@covirt/core'
import { impact, procedures, stateFromNumbers } from '@covirt/protocol'
import { checkDocument, documentRefusal } from './document-refusal.js'
import {
  infoOf,
  listDomains,
  statisticsOfCovirt,
  statisticsOfLibvirt,
  unlessGone,
} from './domain-statistics.js'
import { DomainTypes } from './domain-types.js'
import type { PeerCalls } from './peer-calls.js'
import type { Peer } from './session.js'

const startFlags = { paused: 1, forceBoot: 8 } as const
const undefineFlags = { managedSave: 1 } as const
const xmlFlags = { secure: 1, inactive: 2 } as const
/** virDomainShutdownFlagValues; those of a reboot are the same. */
const modeFlags: Readonly<Record<ShutdownMode, number>> = { acpi: 1, agent: 2, initctl: 4, signal: 8 }

/** virDomainMetadataType. */
const metadataTypes = { description: 0, title: 1, element: 2 }

/** The contract's calls in the words of the protocol, over whichever connection to the peer stands. */
export class PeerDomains {
  protected readonly calls: PeerCalls
  protected readonly types: DomainTypes
  /** What stood behind the connection when it was opened; another peer at the same place may be another kind. */
  protected readonly peer: Peer

  constructor(calls: PeerCalls, peer: Peer) {
    this.calls = calls
    this.peer = peer
    this.types = new DomainTypes((domain, options) => unlessGone(this.getDomainXml(domain, options)))
  }

  get type(): string {
    return this.peer.type
  }

  async getCapabilities(options?: CallOptions): Promise<string> {
    return (await this.calls.call(procedures.connectGetCapabilities, {}, options)).xml
  }

  async getDomainCapabilities({ type, ...kind }: GuestKind = {}, options?: CallOptions): Promise<string> {
    const { emulator, arch, machine } = kind
    const args = { emulator, arch, machine, virtType: type, flags: 0 }
    return (await this.calls.call(procedures.connectGetDomainCapabilities, args, options)).xml
  }

  async getHostname(options?: CallOptions): Promise<string> {
    return (await this.calls.call(procedures.connectGetHostname, {}, options)).hostname
  }

  async getNodeInfo(options?: CallOptions): Promise<NodeInfo> {
    const { memoryKib, ...rest } = await this.calls.call(procedures.nodeGetInfo, {}, options)
    return { ...rest, memoryKib: Number(memoryKib) }
  }

  /** `library` is the version of the peer's own. */
  async getVersion(options?: CallOptions): Promise<VersionInfo> {
    if (this.peer.covirt) {
      const { library, hypervisors } = await this.calls.call(procedures.covirtDescribe, {}, options)
      return {
        library,
        hypervisors: Object.fromEntries(hypervisors.map(({ name, version }) => [name, version])),
      }
    }
    const [library, hypervisor] = await Promise.all([
      this.calls.call(procedures.connectGetLibVersion, {}, options),
      this.calls.call(procedures.connectGetVersion, {}, options),
    ])
    return {
      library: versionText(library.version),
      hypervisors: { [this.type.toLowerCase()]: versionText(hypervisor.version) },
    }
  }

  async listDomains(filter: DomainFilter = {}, options: CallOptions = {}): Promise<readonly DomainRef[]> {
    if (filter.states === undefined) return listDomains(this.calls, filter, options)
    return (await this.getAllDomainStats(filter, options)).map(({ domain }) => domain)
  }

  getAllDomainStats(filter: DomainFilter = {}, options: CallOptions = {}): Promise<readonly DomainStats[]> {
    if (this.peer.covirt) return statisticsOfCovirt(this.calls, filter, options)
    const typeOf = (domain: DomainRef, each: CallOptions) => this.types.typeOf(domain, each)
    return statisticsOfLibvirt(this.calls, typeOf, filter, options)
  }

  async lookupDomain(key: DomainKey, options?: CallOptions): Promise<DomainRef> {
    const { domainLookupByName, domainLookupByUuid, domainLookupById } = procedures
    if ('name' in key) return (await this.calls.call(domainLookupByName, key, options)).domain
    if ('id' in key) return (await this.calls.call(domainLookupById, key, options)).domain
    const uuid = canonicalUuid(key.uuid)
    return (await this.calls.call(domainLookupByUuid, { uuid }, options)).domain
  }

  async defineDomain(xml: string, options?: CallOptions): Promise<DomainRef> {
    const answer = this.calls.call(
      procedures.domainDefineXmlFlags,
      { xml: checkDocument(xml), flags: 0 },
      options,
    )
    return (await documentRefusal(answer)).domain
  }

  async undefineDomain(domain: DomainRef, { managedSave, signal }: UndefineOptions = {}): Promise<void> {
    const flags = managedSave ? undefineFlags.managedSave : 0
    await this.calls.call(procedures.domainUndefineFlags, { domain, flags }, { signal })
  }

  async renameDomain(domain: DomainRef, newName: string, options?: CallOptions): Promise<DomainRef> {
    await this.calls.call(procedures.domainRename, { domain, newName, flags: 0 }, options)
    return { uuid: domain.uuid, name: newName }
  }

  async setDomainMetadata(
    domain: DomainRef,
    metadata: DomainMetadata,
    { live, config, signal }: MetadataOptions = {},
  ): Promise<void> {
    const flags = (live ? impact.live : 0) | (config ? impact.config : 0)
    const args =
      metadata.kind === 'element'
        ? { metadata: metadata.xml, key: metadata.prefix, uri: metadata.namespace }
        : { metadata: metadata.text }
    const type = metadataTypes[metadata.kind]
    await this.calls.call(procedures.domainSetMetadata, { domain, type, flags, ...args }, { signal })
  }

  async getDomainXml(domain: DomainRef, { inactive, secure, signal }: XmlOptions = {}): Promise<string> {
    const flags = (secure ? xmlFlags.secure : 0) | (inactive ? xmlFlags.inactive : 0)
    return (await this.calls.call(procedures.domainGetXmlDesc, { domain, flags }, { signal })).xml
  }

  async isDomainPersistent(domain: DomainRef, options?: CallOptions): Promise<boolean> {
    return (await this.calls.call(procedures.domainIsPersistent, { domain }, options)).persistent
  }

  async getAutostart(domain: DomainRef, options?: CallOptions): Promise<boolean> {
    return (await this.calls.call(procedures.domainGetAutostart, { domain }, options)).autostart
  }

  async setAutostart(domain: DomainRef, autostart: boolean, options?: CallOptions): Promise<void> {
    await this.calls.call(procedures.domainSetAutostart, { domain, autostart }, options)
  }

  async createDomain(xml: string, { paused, signal }: StartOptions = {}): Promise<DomainRef> {
    const flags = paused ? startFlags.paused : 0
    const answer = this.calls.call(procedures.domainCreateXml, { xml: checkDocument(xml), flags }, { signal })
    return (await documentRefusal(answer)).domain
  }

  async startDomain(domain: DomainRef, options: StartOptions = {}): Promise<DomainRef> {
    const { paused, forceBoot, signal } = options
    const flags = (paused ? startFlags.paused : 0) | (forceBoot ? startFlags.forceBoot : 0)
    return (await this.calls.call(procedures.domainCreateWithFlags, { domain, flags }, { signal })).domain
  }

  async shutdownDomain(domain: DomainRef, { mode, signal }: ShutdownOptions = {}): Promise<void> {
    const flags = mode === undefined ? 0 : modeFlags[mode]
    await this.calls.call(procedures.domainShutdownFlags, { domain, flags }, { signal })
  }

  async rebootDomain(domain: DomainRef, { mode, signal }: ShutdownOptions = {}): Promise<void> {
    const flags = mode === undefined ? 0 : modeFlags[mode]
    await this.calls.call(procedures.domainReboot, { domain, flags }, { signal })
  }

  async destroyDomain(domain: DomainRef, options?: CallOptions): Promise<void> {
    await this.calls.call(procedures.domainDestroy, { domain }, options)
  }

  async suspendDomain(domain: DomainRef, options?: CallOptions): Promise<void> {
    await this.calls.call(procedures.domainSuspend, { domain }, options)
  }

  async resumeDomain(domain: DomainRef, options?: CallOptions): Promise<void> {
    try {
      await this.calls.call(procedures.domainResume, { domain }, options)
    } catch (error) {
      // libvirt's daemons refuse to resume what runs; its test driver has another word for it.
      const refused = isVirError(error, 'OPERATION_INVALID') || isVirError(error, 'INTERNAL_ERROR')
      if (this.peer.covirt || !refused) throw error
      if ((await this.getDomainState(domain, options)).state !== 'running') throw error
    }
  }

  async getDomainState(domain: DomainRef, options?: CallOptions): Promise<DomainState> {
    return stateFromNumbers(await this.calls.call(procedures.domainGetState, { domain, flags: 0 }, options))
  }

  getDomainInfo(domain: DomainRef, options: CallOptions = {}): Promise<DomainInfo> {
    return infoOf(this.calls, domain, options)
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
