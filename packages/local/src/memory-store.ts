import type { CallOptions } from '@covirt/core'
import type { DomainStatus, DomainStore, StoredDomain, StoredSnapshots } from './domain-store.js'

/** Remembers domains as long as the object lives. */
export class MemoryStore implements DomainStore {
  readonly #definitions = new Map<string, string>()
  readonly #autostart = new Set<string>()
  readonly #statuses = new Map<string, DomainStatus>()
  readonly #snapshots = new Map<string, StoredSnapshots>()

  async load(): Promise<readonly StoredDomain[]> {
    const names = new Set([...this.#definitions.keys(), ...this.#statuses.keys()])
    return [...names].map((name) => {
      const definition = this.#definitions.get(name)
      const status = this.#statuses.get(name)
      return {
        name,
        autostart: this.#autostart.has(name),
        ...(definition !== undefined && { definition }),
        ...(status && { status }),
      }
    })
  }

  async saveDefinition(name: string, xml: string, _options?: CallOptions): Promise<void> {
    this.#definitions.set(name, xml)
  }

  async removeDefinition(name: string): Promise<void> {
    this.#definitions.delete(name)
    this.#autostart.delete(name)
  }

  async renameDefinition(from: string, to: string, xml: string): Promise<void> {
    const autostart = this.#autostart.has(from)
    await this.removeDefinition(from)
    this.#definitions.set(to, xml)
    await this.setAutostart(to, autostart)
  }

  async setAutostart(name: string, autostart: boolean): Promise<void> {
    if (autostart) this.#autostart.add(name)
    else this.#autostart.delete(name)
  }

  async saveStatus(status: DomainStatus): Promise<void> {
    this.#statuses.set(status.name, status)
  }

  async removeStatus(name: string): Promise<void> {
    this.#statuses.delete(name)
  }

  async loadSnapshots(uuid: string): Promise<StoredSnapshots | undefined> {
    return this.#snapshots.get(uuid)
  }

  async saveSnapshots(uuid: string, snapshots: StoredSnapshots | undefined): Promise<void> {
    if (snapshots) this.#snapshots.set(uuid, snapshots)
    else this.#snapshots.delete(uuid)
  }
}
