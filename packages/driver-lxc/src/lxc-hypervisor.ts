import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import {
  type CallOptions,
  type DomainRef,
  type DriverRoles,
  type Logger,
  silentLogger,
  VirError,
} from '@covirt/core'
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
  UndoStack,
} from '@covirt/local'
import { type DomainXml, formatDomain } from '@covirt/xml'
import { capabilitiesDocument } from './capabilities.js'
import { redefinition } from './config/from-native.js'
import { wantsOwnIds } from './config/idmap.js'
import { initArgv } from './config/init.js'
import { liveDocument } from './config/live-document.js'
import { hostLinkName } from './config/network.js'
import { prepareDocument } from './config/prepare-document.js'
import { isPrivileged, missingProtection } from './config/security.js'
import { checkShared } from './config/shared-storage.js'
import { toNative } from './config/to-native.js'
import { containerFiles } from './container-files.js'
import { ForeignContainers } from './foreign/foreign-containers.js'
import { LiveChanges } from './guest/live-changes.js'
import { type BootOptions, LxcGuest, type LxcGuestParts } from './guest/lxc-guest.js'
import { StateHub } from './guest/state-hub.js'
import { endContainer } from './host/end-container.js'
import { type HostFacts, readHostFacts } from './host/host-facts.js'
import { IdRanges, type IdRangesDirectories } from './host/id-ranges.js'
import { exportImages } from './host/image-exports.js'
import { type InitKind, initKinds, initSignals } from './host/init-kind.js'
import { inspectHost } from './host/inspect-host.js'
import { clearUp, type Leftovers, retryAllLeftovers, retryLeftovers } from './host/leftovers.js'
import { lxcfsDirectory, lxcfsFiles } from './host/lxcfs.js'
import { prepareOverlays } from './host/overlays.js'
import { isRunning, killStarters } from './host/running-container.js'
import { imagesDirectoryOf, startContainer } from './host/start-container.js'
import { type IdSpan, idsPerRange } from './host/subordinate-ids.js'
import { consoleLogOf, writeConfig } from './host/write-config.js'
import { alreadyRuns, endedAtOnce, toVirError } from './lxc-errors.js'
import { type Container, LxcError, stop } from './native.js'
import { rootfsSnapshots } from './rootfs-snapshots.js'

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
  readonly #states: StateHub
  readonly #ids: IdRanges
  readonly #lxcfs: string
  /** As found at the opening. */
  readonly #host: HostFacts

  private constructor(
    { containersDirectory, lxcfs = lxcfsDirectory, lxcpath, version }: LxcHypervisorParts,
    { host, ids }: { readonly host: HostFacts; readonly ids: IdRanges },
  ) {
    this.versions = { liblxc: version }
    this.#path = containersDirectory
    this.#host = host
    this.#ids = ids
    this.#lxcfs = lxcfs
    this.#states = new StateHub(containersDirectory)
    if (lxcpath !== undefined && existsSync(lxcpath)) this.foreign = new ForeignContainers(lxcpath, host)
  }

  static async open(parts: LxcHypervisorParts): Promise<LxcHypervisor> {
    await mkdir(parts.containersDirectory, { recursive: true, mode: 0o711 })
    await retryAllLeftovers(parts.containersDirectory, parts.logger ?? silentLogger)
    const [host, ids] = await Promise.all([readHostFacts(), IdRanges.open(parts.idRanges)])
    return new LxcHypervisor(parts, { host, ids })
  }

  async getCapabilities(): Promise<string> {
    return capabilitiesDocument()
  }

  prepare(document: DomainXml): DomainXml {
    return prepareDocument(document)
  }

  async launch(spec: LaunchSpec, { signal }: CallOptions): Promise<Guest> {
    if (spec.isForeign) return this.#requireForeign(spec).launch(spec, { signal })
    const { domain, logger, paused } = spec
    const container = this.#containerOf(spec)
    const undo = new UndoStack(logger)
    let document = spec.document
    try {
      await retryLeftovers(container)
      const { init, devices } = await inspectHost(document)
      const ids = wantsOwnIds(document) ? this.#ids.take(domain.uuid) : undefined
      document = liveDocument(document, ids)
      if (isPrivileged(document))
        logger.warn('A container starts privileged: root inside of it is root outside', {
          domain: domain.name,
        })
      for (const protection of missingProtection(document, this.#host))
        logger.warn('A container starts with less protection', { domain: domain.name, missing: protection })
      undo.push(() => clearUp(container, leftoversOf(document, spec), logger))
      writeConfig(container, {
        document,
        host: this.#host,
        signals: initSignals(init),
        consoleLog: consoleLogOf(document, spec.places),
        devices,
      })
      await prepareOverlays(document, container)
      await exportImages(document, imagesDirectoryOf(spec.places))
      const parts = this.#partsOf(spec, { container, document, init, ids, devices })
      const { initPid, ranBecause } = await parts.start({ paused, signal })
      undo.push(() => stop(container))
      if (ranBecause !== undefined)
        logger.warn('A container ran for a moment before it was paused', { domain: domain.name, ranBecause })
      return await LxcGuest.attach(parts, { started: { initPid, paused }, signal })
    } catch (error) {
      // What is there belongs to the one that runs.
      if (error instanceof LxcError && error.code === 'EEXIST') throw alreadyRuns(domain.name)
      await undo.run()
      if (hasEnded(error)) throw endedAtOnce({ name: domain.name, init: initArgv(document)[0] }, error)
      throw toVirError(error, `Starting ${domain.name}`, signal)
    }
  }

  async adopt(spec: AdoptSpec, { signal }: CallOptions): Promise<Guest | undefined> {
    if (spec.isForeign) return this.#requireForeign(spec).adopt(spec, { signal })
    const { name } = spec.domain
    const container = this.#containerOf(spec)
    const ids = this.#idsOf(spec)
    const document = liveDocument(spec.document, ids)
    try {
      const init = initKinds.find((kind) => kind === spec.record?.init) ?? (await guessInit(document))
      while (await isRunning(container)) {
        try {
          const found = { container, document, init, ids, changes: recordedChanges(spec) }
          return await LxcGuest.attach(this.#partsOf(spec, found), { record: spec.record, signal })
        } catch (error) {
          // It has ended at this moment, or is booting again.
          if (!hasEnded(error)) throw error
        }
      }
      await stop(container)
      await clearUp(container, leftoversOf(document, spec), spec.logger)
      return undefined
    } catch (error) {
      throw toVirError(error, `Finding ${name} again`, signal)
    }
  }

  async kill(spec: AdoptSpec): Promise<void> {
    if (spec.isForeign) return this.#requireForeign(spec).kill(spec)
    const { domain, logger } = spec
    const container = this.#containerOf(spec)
    try {
      await killStarters(container)
      await endContainer(container, logger)
      await clearUp(container, leftoversOf(spec.document, spec), logger)
    } catch (error) {
      throw toVirError(error, `Ending ${domain.name}`)
    }
  }

  readonly snapshots = rootfsSnapshots

  checkShared(document: DomainXml, others: readonly SharingDomain[]): void {
    checkShared(document, others)
  }

  roles(access: GuestAccess): Partial<DriverRoles> {
    return {
      console: {
        openConsole: (domain, options = {}) =>
          access.query(domain, options, (guest, { signal }) =>
            lxcGuest(guest).openConsole({ ...options, signal }),
          ),
      },
      nativeConfig: nativeConfigRole(this, { 'lxc-tools': this.#nativeFormat() }),
      processes: {
        listProcesses: (domain, options) =>
          access.query(domain, options, async (guest, call) => lxcGuest(guest).listProcesses(call)),
      },
      addresses: {
        listInterfaceAddresses: (domain, options = {}) =>
          access.query(domain, options, async (guest) => lxcGuest(guest).listInterfaceAddresses(options)),
      },
      statistics: {
        getStatistics: (domain, options = {}) =>
          access.query(domain, options, async (guest) => lxcGuest(guest).statistics(options)),
      },
      files: containerFiles(access, ({ domain, guest }) =>
        guest ? lxcGuest(guest).container : this.#containerOf({ domain }),
      ),
      exec: {
        exec: (domain, argv, options = {}) =>
          access.query(domain, options, async (guest) => lxcGuest(guest).exec(argv, options)),
      },
    }
  }

  retain(uuids: ReadonlySet<string>): void {
    this.#ids.retain(uuids)
  }

  #nativeFormat(): NativeFormat {
    return {
      toNative: (document) => {
        const ownIds = wantsOwnIds(document)
        const ids = ownIds ? this.#ids.offer(document.uuid ?? '') : undefined
        return toNative(liveDocument(document, ids), { host: this.#host, ownIds })
      },
      fromNative: (config) =>
        formatDomain(redefinition(config, { memoryKib: BigInt(Math.floor(totalmem() / 1024)) })),
    }
  }

  async close(): Promise<void> {
    await this.foreign?.close()
    await this.#states.close()
  }

  #requireForeign({ domain }: Pick<AdoptSpec, 'domain'>): ForeignContainers {
    if (this.foreign) return this.foreign
    throw new VirError('OPERATION_FAILED', `The lxcpath of ${domain.name} is not looked at`, {
      domain: 'LXC',
      hint: "Open the connection with '?lxcpath=' as before",
    })
  }

  /** Named as its domain where liblxc takes that name, so that its own tools show it. */
  #containerOf({ domain: { name, uuid } }: { readonly domain: DomainRef }): Container {
    return { path: this.#path, name: /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(name) ? name : uuid }
  }

  #partsOf(
    { domain, sink, clock, logger, places }: Omit<AdoptSpec, 'record'>,
    {
      container,
      document,
      init,
      ids,
      devices,
      changes,
    }: FoundContainer & {
      readonly devices?: ReadonlyMap<string, string>
      readonly changes?: string | undefined
    },
  ): LxcGuestParts {
    const { name } = domain
    const ownIds = ids !== undefined
    const start = (options: BootOptions) => {
      const lxcfs = lxcfsFiles(this.#lxcfs)
      if (lxcfs.size === 0)
        logger.info("A container sees the host's memory and processors: lxcfs does not run", { domain: name })
      return startContainer(container, { document, ownIds, places, lxcfs, ...options })
    }
    const parts = { container, document, host: this.#host, ownIds, logger, devices, record: changes }
    const found = { container, changes: new LiveChanges(parts), init, firstId: ids?.start }
    const holdFile = join(places.runDirectory, 'held')
    const imagesDirectory = imagesDirectoryOf(places)
    const consoleLog = consoleLogOf(document, places)
    return {
      ...found,
      start,
      holdFile,
      imagesDirectory,
      consoleLog,
      name,
      sink,
      clock,
      logger,
      states: this.#states,
    }
  }

  /** Those that a container was started with, which a definition may have changed or one of an older version not have. */
  #idsOf({ record, domain, document }: AdoptSpec): IdSpan | undefined {
    if (record === undefined) return wantsOwnIds(document) ? this.#ids.find(domain.uuid) : undefined
    const { firstId } = record
    return typeof firstId === 'number' ? { start: firstId, count: idsPerRange } : undefined
  }
}

function recordedChanges({ record }: AdoptSpec): string | undefined {
  return typeof record?.changes === 'string' ? record.changes : undefined
}

function lxcGuest(guest: Guest): LxcGuest {
  if (guest instanceof LxcGuest) return guest
  throw new TypeError('The guest is no container')
}

/** A container, and what is known of it besides its definition. */
interface FoundContainer {
  readonly container: Container
  /** Live. */
  readonly document: DomainXml
  readonly init: InitKind
  /** Of its own, where it has such. */
  readonly ids: IdSpan | undefined
}

function guessInit(document: DomainXml): Promise<InitKind> {
  return inspectHost(document).then(
    ({ init }) => init,
    () => 'application',
  )
}

function leftoversOf(document: DomainXml, { places }: Pick<AdoptSpec, 'places'>): Leftovers {
  return { links: linksOf(document), imagesDirectory: imagesDirectoryOf(places) }
}

function linksOf(document: DomainXml): string[] {
  return document.devices.interfaces.map((_, index) => hostLinkName(document, index))
}

/** The container is not running (any more). */
function hasEnded(error: unknown): error is LxcError {
  return error instanceof LxcError && error.code === 'ESRCH'
}
