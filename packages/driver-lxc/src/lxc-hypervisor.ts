import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { type CallOptions, type DriverRoles, type Logger, silentLogger, VirError } from '@covirt/core'
import {
  type AdoptSpec,
  controlGroupTuning,
  type Guest,
  type GuestAccess,
  type Hypervisor,
  type LaunchSpec,
  type NativeFormat,
  nativeConfigRole,
  type SharingDomain,
  type StorageSnapshots,
} from '@covirt/local'
import { type DomainXml, formatDomain } from '@covirt/xml'
import { capabilitiesDocument } from './capabilities.js'
import { wantsOwnIds } from './config/idmap.js'
import { prepareDocument } from './config/prepare-document.js'
import { checkShared } from './config/shared-storage.js'
import { containerFiles } from './container-files.js'
import { containerOf } from './container-of.js'
import type { ForeignContainers } from './foreign/foreign-containers.js'
import type { LxcGuest } from './guest/lxc-guest.js'
import { type HostFacts, readHostFacts } from './host/host-facts.js'
import { IdRanges, type IdRangesDirectories } from './host/id-ranges.js'
import { lxcfsDirectory } from './host/lxcfs.js'
import type { LxcGuests } from './lxc-guests.js'

/** Asked for once: each import goes through the loader anew. */
let loading: Promise<typeof import('./guests.js')> | undefined

function guests(): Promise<typeof import('./guests.js')> {
  loading ??= import('./guests.js')
  return loading
}

/** What a {@link LxcHypervisor} is made of. */
export interface LxcHypervisorParts {
  /** Below it are the containers' configurations: liblxc's own tools find them with `-P`. */
  readonly containersDirectory: string
  /** Where it keeps which ids of the host its containers have. */
  readonly idRanges: IdRangesDirectories
  /** Where lxcfs is mounted, when it runs. Default: where its service mounts it. */
  readonly lxcfs?: string
  /** The lxcpath of liblxc's own tools, where their containers are to be shown. */
  readonly lxcpath?: string | undefined
  /** Of liblxc. */
  readonly version: string
  /** Told what containers that have ended could not be cleared of. Default: nobody is. */
  readonly logger?: Logger | undefined
}

/** Runs containers through liblxc, each with a monitor of liblxc's that outlives this process. */
export class LxcHypervisor implements Hypervisor {
  readonly type = 'LXC'
  readonly errorDomain = 'LXC'
  readonly domainTypes = ['lxc'] as const
  readonly versions: Readonly<Record<string, string>>
  readonly tuning = controlGroupTuning
  /** Those of liblxc's own tools. */
  readonly foreign: ForeignContainers | undefined
  readonly #path: string
  readonly #ids: IdRanges
  readonly #lxcfs: string
  /** As found at the opening. */
  readonly #host: HostFacts
  #running: LxcGuests | undefined

  private constructor(
    { containersDirectory, lxcfs = lxcfsDirectory, version }: LxcHypervisorParts,
    { host, ids, foreign }: FoundAtOpening,
  ) {
    this.versions = { liblxc: version }
    this.#path = containersDirectory
    this.#host = host
    this.#ids = ids
    this.#lxcfs = lxcfs
    this.foreign = foreign
  }

  static async open(parts: LxcHypervisorParts): Promise<LxcHypervisor> {
    await mkdir(parts.containersDirectory, { recursive: true, mode: 0o711 })
    if ((await readdir(parts.containersDirectory)).length > 0) {
      const { retryAllLeftovers } = await guests()
      await retryAllLeftovers(parts.containersDirectory, parts.logger ?? silentLogger)
    }
    const [host, ids] = await Promise.all([readHostFacts(), IdRanges.open(parts.idRanges)])
    return new LxcHypervisor(parts, { host, ids, foreign: await foreignOf(parts, host) })
  }

  async getCapabilities(): Promise<string> {
    return capabilitiesDocument()
  }

  prepare(document: DomainXml): DomainXml {
    return prepareDocument(document)
  }

  async launch(spec: LaunchSpec, options: CallOptions): Promise<Guest> {
    if (spec.isForeign) return this.#requireForeign(spec).launch(spec, options)
    return (await this.#guests()).launch(spec, options)
  }

  async adopt(spec: AdoptSpec, options: CallOptions): Promise<Guest | undefined> {
    if (spec.isForeign) return this.#requireForeign(spec).adopt(spec, options)
    return (await this.#guests()).adopt(spec, options)
  }

  async kill(spec: AdoptSpec): Promise<void> {
    if (spec.isForeign) return this.#requireForeign(spec).kill(spec)
    return (await this.#guests()).kill(spec)
  }

  readonly snapshots: StorageSnapshots = {
    savesMemory: false,
    take: async (spec, options) => (await guests()).rootfsSnapshots.take(spec, options),
    restore: async (spec, options) => (await guests()).rootfsSnapshots.restore(spec, options),
    remove: async (spec) => (await guests()).rootfsSnapshots.remove(spec),
  }

  checkShared(document: DomainXml, others: readonly SharingDomain[]): void {
    checkShared(document, others)
  }

  roles(access: GuestAccess): Partial<DriverRoles> {
    return {
      console: {
        openConsole: (domain, options = {}) =>
          access.query(domain, options, async (guest, { signal }) =>
            (await lxcGuest(guest)).openConsole({ ...options, signal }),
          ),
      },
      nativeConfig: nativeConfigRole(this, { 'lxc-tools': this.#nativeFormat() }),
      processes: {
        listProcesses: (domain, options) =>
          access.query(domain, options, async (guest, call) => (await lxcGuest(guest)).listProcesses(call)),
      },
      addresses: {
        listInterfaceAddresses: (domain, options = {}) =>
          access.query(domain, options, async (guest) =>
            (await lxcGuest(guest)).listInterfaceAddresses(options),
          ),
      },
      statistics: {
        getStatistics: (domain, options = {}) =>
          access.query(domain, options, async (guest) => (await lxcGuest(guest)).statistics(options)),
      },
      files: containerFiles(access, async ({ domain, guest }) =>
        guest ? (await lxcGuest(guest)).container : containerOf(this.#path, domain),
      ),
      exec: {
        exec: (domain, argv, options = {}) =>
          access.query(domain, options, async (guest) => (await lxcGuest(guest)).exec(argv, options)),
      },
    }
  }

  retain(uuids: ReadonlySet<string>): void {
    this.#ids.retain(uuids)
  }

  #nativeFormat(): NativeFormat {
    return {
      toNative: async (document) => {
        const { liveDocument, toNative } = await guests()
        const ownIds = wantsOwnIds(document)
        const ids = ownIds ? this.#ids.offer(document.uuid ?? '') : undefined
        return toNative(liveDocument(document, ids), { host: this.#host, ownIds })
      },
      fromNative: async (config) => {
        const { redefinition } = await guests()
        return formatDomain(redefinition(config, { memoryKib: BigInt(Math.floor(totalmem() / 1024)) }))
      },
    }
  }

  async close(): Promise<void> {
    await this.foreign?.close()
    await this.#running?.close()
  }

  #requireForeign({ domain }: Pick<AdoptSpec, 'domain'>): ForeignContainers {
    if (this.foreign) return this.foreign
    throw new VirError('OPERATION_FAILED', `The lxcpath of ${domain.name} is not looked at`, {
      domain: 'LXC',
      hint: "Open the connection with '?lxcpath=' as before",
    })
  }

  async #guests(): Promise<LxcGuests> {
    const { LxcGuests } = await guests()
    this.#running ??= new LxcGuests({
      containersDirectory: this.#path,
      ids: this.#ids,
      host: this.#host,
      lxcfs: this.#lxcfs,
    })
    return this.#running
  }
}

async function lxcGuest(guest: Guest): Promise<LxcGuest> {
  const { LxcGuest } = await guests()
  if (guest instanceof LxcGuest) return guest
  throw new TypeError('The guest is no container')
}

interface FoundAtOpening {
  readonly host: HostFacts
  readonly ids: IdRanges
  readonly foreign: ForeignContainers | undefined
}

async function foreignOf(
  { lxcpath }: LxcHypervisorParts,
  host: HostFacts,
): Promise<ForeignContainers | undefined> {
  if (lxcpath === undefined || !existsSync(lxcpath)) return undefined
  const { ForeignContainers } = await guests()
  return new ForeignContainers(lxcpath, host)
}
