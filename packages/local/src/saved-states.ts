import { isAbsolute } from 'node:path'
import {
  type CallOptions,
  type DomainRef,
  messageOf,
  type RestoreOptions,
  type SavedStateRole,
  type SavedXmlOptions,
  type SaveOptions,
  throwIfAborted,
  VirError,
} from '@covirt/core'
import { type DomainXml, formatDomain, parseDomain } from '@covirt/xml'
import { prepareDefinition } from './definition.js'
import type { DomainEntry } from './domain-entry.js'
import type { DomainTable } from './domain-table.js'
import type { GuestKeeper } from './guest-keeper.js'
import type { Hypervisor } from './hypervisor.js'
import { FileImage, type ManagedImage } from './image-place.js'
import type { PlaceKeeper } from './places.js'
import { redactSecrets } from './redact-secrets.js'
import { requireActive, requireInactive, requireNotCrashed, requirePersistent } from './refusals.js'
import type { SaveTerms } from './save-guest.js'
import { openSavedImage, type SavedImage, unusable } from './saved-image.js'

/** What {@link SavedStates} works with. */
export interface SavedStatesParts {
  readonly hypervisor: Hypervisor
  readonly places: PlaceKeeper
  readonly keeper: GuestKeeper
  readonly table: DomainTable
  /** Runs `work` as a job of an existing domain. */
  readonly change: <T>(
    domain: DomainRef,
    name: string,
    options: CallOptions,
    work: (entry: DomainEntry, options: CallOptions) => Promise<T>,
  ) => Promise<T>
  /** Runs `work` as a job of a domain that need not exist yet. */
  readonly enter: <T>(
    entry: DomainEntry,
    name: string,
    options: CallOptions,
    work: (options: CallOptions) => Promise<T>,
  ) => Promise<T>
}

/** A managed state that the next start goes on from. */
interface FoundState extends AsyncDisposable {
  /** Within a job: starts the domain from it, and so uses it up. */
  launch(terms: { readonly paused: boolean } & CallOptions): Promise<DomainRef>
}

/** The role `savedState` of a local driver whose hypervisor saves guests. */
export class SavedStates implements SavedStateRole {
  readonly #parts: SavedStatesParts

  constructor(parts: SavedStatesParts) {
    this.#parts = parts
  }

  async managedSave(domain: DomainRef, options: SaveOptions = {}): Promise<void> {
    await this.#parts.change(domain, 'managed save', options, async (entry, { signal }) => {
      requirePersistent(entry)
      await this.#save(entry, { place: this.#place(entry), signal }, options)
    })
  }

  async hasManagedSave(domain: DomainRef, options: CallOptions = {}): Promise<boolean> {
    throwIfAborted(options.signal)
    return this.#place(this.#parts.table.get(domain)).exists()
  }

  async removeManagedSave(domain: DomainRef, options: CallOptions = {}): Promise<void> {
    await this.#parts.change(domain, 'remove managed save', options, (entry) => this.remove(entry))
  }

  async saveDomain(domain: DomainRef, path: string, options: SaveOptions = {}): Promise<void> {
    requireAbsolute(path)
    await this.#parts.change(domain, 'save', options, (entry, { signal }) =>
      this.#save(entry, { place: new FileImage(path), path, signal }, options),
    )
  }

  async restoreDomain(path: string, options: RestoreOptions = {}): Promise<DomainRef> {
    throwIfAborted(options.signal)
    await using image = await this.#open(path)
    const document = this.#documentOf(image, options.xml)
    const { table, keeper } = this.#parts
    const entry = table.reserve(document.uuid, document.name)
    return await this.#parts.enter(entry, 'restore', options, async ({ signal }) => {
      table.reserve(document.uuid, document.name)
      requireInactive(entry)
      await this.requireNone(entry)
      await keeper.launch(entry, document, {
        paused: options.restoreAs === 'paused',
        restored: { state: image.state, as: options.restoreAs ?? image.header.restoreAs },
        signal,
      })
      return entry.ref
    })
  }

  async getSavedXml(path: string, options: SavedXmlOptions = {}): Promise<string> {
    throwIfAborted(options.signal)
    await using image = await this.#open(path)
    const document = this.#documentOf(image, undefined)
    return formatDomain(options.secure ? document : redactSecrets(document))
  }

  /** Within a job: removes the managed state, if there is one. */
  async remove(entry: DomainEntry): Promise<void> {
    const place = this.#place(entry)
    if (await place.exists()) await place.remove()
  }

  /** Within a job: `OPERATION_INVALID` where there is a managed state. */
  async requireNone(entry: DomainEntry): Promise<void> {
    if (!(await this.#place(entry).exists())) return
    throw new VirError('OPERATION_INVALID', `Domain '${entry.name}' has a managed save image`, {
      domain: 'DOM',
      hint: `Start it from there, or throw that away: 'covirt managedsave-remove ${entry.name}'`,
    })
  }

  /** Within a job: the place of the managed state, where there is one. */
  async imageOf(entry: DomainEntry): Promise<ManagedImage | undefined> {
    const place = this.#place(entry)
    return (await place.exists()) ? place : undefined
  }

  /** Within a job: the managed state, where there is one. `OPERATION_FAILED` where it cannot be used. */
  async find(entry: DomainEntry): Promise<FoundState | undefined> {
    const place = this.#place(entry)
    const image = await openSavedImage(place)
    if (!image) return undefined
    try {
      const { name, uuid } = entry
      const document = this.#documentOf(image, undefined, name)
      if (document.uuid !== uuid) throw unusable(`it belongs to domain '${document.name}'`)
      return {
        launch: async (terms) => {
          const restored = { state: image.state, as: image.header.restoreAs }
          await this.#parts.keeper.launch(entry, document, { ...terms, restored, image: place })
          return entry.ref
        },
        [Symbol.asyncDispose]: () => image[Symbol.asyncDispose](),
      }
    } catch (error) {
      await image[Symbol.asyncDispose]()
      throw error
    }
  }

  async #save(
    entry: DomainEntry,
    terms: Omit<SaveTerms, 'restoreAs'>,
    { restoreAs }: SaveOptions,
  ): Promise<void> {
    const active = requireActive(entry)
    requireNotCrashed(entry)
    const { phase } = active.guest
    try {
      await this.#parts.keeper.save(entry, active, {
        ...terms,
        restoreAs: restoreAs ?? (phase === 'paused' ? 'paused' : 'running'),
      })
    } catch (error) {
      throwIfAborted(terms.signal)
      if (error instanceof VirError) throw error
      throw new VirError('OPERATION_FAILED', `Saving domain '${entry.name}' failed: ${messageOf(error)}`, {
        domain: 'DOM',
        cause: error,
        hint: 'The guest goes on. Is there room, and does the directory exist?',
      })
    }
  }

  async #open(path: string): Promise<SavedImage> {
    requireAbsolute(path)
    const image = await openSavedImage(new FileImage(path))
    if (image) return image
    throw new VirError('OPERATION_FAILED', `There is no file '${path}'`, { domain: 'DOM' })
  }

  /** What is launched from an image: its own definition or another one, by its name or another. */
  #documentOf(
    { header }: SavedImage,
    xml: string | undefined,
    name?: string,
  ): DomainXml & { readonly uuid: string } {
    const { hypervisor } = this.#parts
    if (header.driver !== hypervisor.type) throw unusable(`it is one of the ${header.driver} driver`)
    const saved = parseDomain(header.xml)
    const document = prepareDefinition(
      xml ?? formatDomain(name === undefined ? saved : { ...saved, name }),
      hypervisor,
    )
    if (xml === undefined || (document.uuid === saved.uuid && document.name === saved.name)) return document
    throw new VirError('INVALID_ARG', `The XML is not that of domain '${saved.name}', which was saved`, {
      domain: 'DOM',
      hint: `Its <uuid> must be ${saved.uuid}, as in the file`,
    })
  }

  #place(entry: DomainEntry): ManagedImage {
    return this.#parts.places.savedImage(entry.ref)
  }
}

function requireAbsolute(path: string): void {
  if (isAbsolute(path) && !path.includes('\0')) return
  throw new VirError('INVALID_ARG', `'${path}' is not an absolute path`, { domain: 'DOM' })
}
