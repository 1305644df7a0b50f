import { type Clock, type DomainKey, type DomainRef, VirError } from '@covirt/core'
import { DomainEntry } from './domain-entry.js'
import { JobQueue } from './job-queue.js'

/** The domains of a driver, found by uuid, name or id, each unique. */
export class DomainTable {
  readonly #byUuid = new Map<string, DomainEntry>()
  readonly #byName = new Map<string, DomainEntry>()
  readonly #unreadable = new Map<string, string>()
  readonly #clock: Clock
  readonly #onGone: (remaining: () => ReadonlySet<string>) => void

  /** @param onGone is told how to get the uuids that are left when an entry has gone for good */
  constructor(clock: Clock, onGone: (remaining: () => ReadonlySet<string>) => void) {
    this.#clock = clock
    this.#onGone = onGone
  }

  /** Those that exist. */
  *[Symbol.iterator](): Generator<DomainEntry> {
    for (const entry of this.#byUuid.values()) if (entry.exists) yield entry
  }

  /** All, reservations included. */
  all(): readonly DomainEntry[] {
    return [...this.#byUuid.values()]
  }

  /**
   * The entry with this uuid and name, made where neither is taken. It keeps both from others until it neither
   * exists nor has jobs. `DOM_EXIST` where another domain has one of them.
   */
  reserve(uuid: string, name: string): DomainEntry {
    const known = this.#byUuid.get(uuid)
    if (known?.name === name) return known
    if (known)
      throw taken(
        `A domain with uuid ${uuid} exists already, named '${known.name}'`,
        'Choose another <uuid>, or leave it out',
      )
    this.#requireFree(name)
    const entry: DomainEntry = new DomainEntry(
      uuid,
      name,
      new JobQueue(this.#clock, () => this.#dropUnused(entry)),
    )
    this.#byUuid.set(uuid, entry)
    this.#byName.set(name, entry)
    return entry
  }

  /** Resolves once domains that have gone, but are being cleared up after, have given this uuid and name free. */
  async whenFree({ uuid, name }: { readonly uuid: string; readonly name: string }): Promise<void> {
    for (let entry = this.#leaving(uuid, name); entry; entry = this.#leaving(uuid, name))
      await entry.jobs.whenIdle()
  }

  /**
   * Gives an entry another name, once `store` has resolved; until then it has both. `DOM_EXIST` where another
   * domain has the new one.
   */
  async rename(entry: DomainEntry, name: string, store: () => Promise<void>): Promise<void> {
    this.#requireFree(name)
    this.#byName.set(name, entry)
    try {
      await store()
    } catch (error) {
      this.#byName.delete(name)
      throw error
    }
    this.#byName.delete(entry.name)
    entry.name = name
  }

  /** Keeps a name whose stored definition could not be understood from being overwritten. */
  reserveUnreadable(name: string, why: string): void {
    this.#unreadable.set(name, why)
  }

  /** The entry of this name, if there is one. */
  named(name: string): DomainEntry | undefined {
    return this.#byName.get(name)
  }

  /** The domain meant by `ref`; `NO_DOMAIN` where there is none. */
  get(ref: DomainRef): DomainEntry {
    const entry = this.#byUuid.get(ref.uuid)
    if (entry?.exists) return entry
    throw noDomain(`with uuid ${ref.uuid} (${ref.name})`)
  }

  /** The domain with this name, uuid or id; `NO_DOMAIN` where there is none. */
  find(key: DomainKey): DomainEntry {
    const entry = this.#find(key)
    if (entry?.exists) return entry
    const [[kind, value]] = Object.entries(key) as [[string, string | number]]
    throw noDomain(`with ${kind} '${value}'`)
  }

  #requireFree(name: string): void {
    const namesake = this.#byName.get(name)
    if (namesake) {
      throw taken(
        `A domain named '${name}' exists already, with uuid ${namesake.uuid}`,
        `To redefine it, put <uuid>${namesake.uuid}</uuid> into the XML; otherwise choose another <name>`,
      )
    }
    const unreadable = this.#unreadable.get(name)
    if (unreadable)
      throw taken(
        `A domain named '${name}' exists, but its stored definition cannot be read: ${unreadable}`,
        'Mend or remove the file, then open the connection again',
      )
  }

  /** Says which uuids there are, reservations included. */
  tellRemaining(): void {
    this.#onGone(() => new Set(this.#byUuid.keys()))
  }

  #find(key: DomainKey): DomainEntry | undefined {
    if ('name' in key) return this.#byName.get(key.name)
    if ('uuid' in key) return this.#byUuid.get(normaliseUuid(key.uuid))
    for (const entry of this.#byUuid.values()) if (entry.active?.id === key.id) return entry
    return undefined
  }

  #leaving(uuid: string, name: string): DomainEntry | undefined {
    const namesakes = [this.#byUuid.get(uuid), this.#byName.get(name)]
    return namesakes.find((entry) => entry?.hasGone && !entry.exists)
  }

  #dropUnused(entry: DomainEntry): void {
    if (entry.exists || !entry.jobs.idle || this.#byUuid.get(entry.uuid) !== entry) return
    this.#byUuid.delete(entry.uuid)
    this.#byName.delete(entry.name)
    this.tellRemaining()
  }
}

function normaliseUuid(text: string): string {
  const digits = text.toLowerCase().replaceAll('-', '')
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function noDomain(which: string): VirError {
  return new VirError('NO_DOMAIN', `There is no domain ${which}`, { domain: 'DOM' })
}

function taken(message: string, hint: string): VirError {
  return new VirError('DOM_EXIST', message, { domain: 'DOM', hint })
}
