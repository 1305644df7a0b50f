import { join } from 'node:path'
import type { CallOptions } from '@covirt/core'
import { type AdoptSpec, type Guest, type LaunchSpec, UndoStack } from '@covirt/local'
import type { DomainXml } from '@covirt/xml'
import { wantsOwnIds } from './config/idmap.js'
import { initArgv } from './config/init.js'
import { liveDocument } from './config/live-document.js'
import { hostLinkName } from './config/network.js'
import { isPrivileged, missingProtection } from './config/security.js'
import { containerOf } from './container-of.js'
import { LiveChanges } from './guest/live-changes.js'
import { type BootOptions, LxcGuest, type LxcGuestParts } from './guest/lxc-guest.js'
import { StateHub } from './guest/state-hub.js'
import { endContainer } from './host/end-container.js'
import type { HostFacts } from './host/host-facts.js'
import type { IdRanges } from './host/id-ranges.js'
import { exportImages } from './host/image-exports.js'
import { type InitKind, initKinds, initSignals } from './host/init-kind.js'
import { inspectHost } from './host/inspect-host.js'
import { clearUp, type Leftovers, retryLeftovers } from './host/leftovers.js'
import { lxcfsFiles } from './host/lxcfs.js'
import { prepareOverlays } from './host/overlays.js'
import { isRunning, killStarters } from './host/running-container.js'
import { imagesDirectoryOf, startContainer } from './host/start-container.js'
import { type IdSpan, idsPerRange } from './host/subordinate-ids.js'
import { consoleLogOf, writeConfig } from './host/write-config.js'
import { alreadyRuns, endedAtOnce, toVirError } from './lxc-errors.js'
import { beginMoves, type Container, LxcError, stop } from './native.js'

/** What {@link LxcGuests} work with. */
export interface LxcGuestsParts {
  readonly containersDirectory: string
  readonly ids: IdRanges
  readonly host: HostFacts
  /** Where lxcfs is mounted, when it runs. */
  readonly lxcfs: string
}

/** The driver's own containers that run: starts them, finds them again, ends them. */
export class LxcGuests {
  readonly #path: string
  readonly #states: StateHub
  readonly #ids: IdRanges
  readonly #lxcfs: string
  /** As found at the opening. */
  readonly #host: HostFacts

  constructor({ containersDirectory, ids, host, lxcfs }: LxcGuestsParts) {
    this.#path = containersDirectory
    this.#host = host
    this.#ids = ids
    this.#lxcfs = lxcfs
    this.#states = new StateHub(containersDirectory)
  }

  async launch(spec: LaunchSpec, { signal }: CallOptions): Promise<Guest> {
    const { domain, logger, paused } = spec
    const container = containerOf(this.#path, spec.domain)
    const undo = new UndoStack(logger)
    let document = spec.document
    const moves = beginMoves()
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
    } finally {
      await moves
    }
  }

  async adopt(spec: AdoptSpec, { signal }: CallOptions): Promise<Guest | undefined> {
    const { name } = spec.domain
    const container = containerOf(this.#path, spec.domain)
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
    const { domain, logger } = spec
    const container = containerOf(this.#path, spec.domain)
    try {
      await killStarters(container)
      await endContainer(container, logger)
      await clearUp(container, leftoversOf(spec.document, spec), logger)
    } catch (error) {
      throw toVirError(error, `Ending ${domain.name}`)
    }
  }

  async close(): Promise<void> {
    await this.#states.close()
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
