import type { CallOptions, DomainRef, DriverEvent } from '@covirt/core'

/**
 * Of which type domains are, which libvirt says in their documents alone: read once, and again after what may have
 * changed it.
 */
export class DomainTypes {
  readonly #known = new Map<string, string>()
  readonly #readXml: (domain: DomainRef, options: CallOptions) => Promise<string | undefined>
  /** Counts what may have changed types. */
  #changes = 0

  constructor(readXml: (domain: DomainRef, options: CallOptions) => Promise<string | undefined>) {
    this.#readXml = readXml
  }

  /** `undefined` where there is no such domain. */
  async typeOf(domain: DomainRef, options: CallOptions): Promise<string | undefined> {
    const known = this.#known.get(domain.uuid)
    if (known !== undefined) return known
    const changes = this.#changes
    const xml = await this.#readXml(domain, options)
    const type = xml && /<domain\b[^>]*?\btype\s*=\s*['"]([^'"]*)/.exec(xml)?.[1]
    if (type && changes === this.#changes) this.#known.set(domain.uuid, type)
    return type
  }

  heard(event: DriverEvent): void {
    if (event.type === 'resync') this.#known.clear()
    else if (event.type !== 'lifecycle') return
    else this.#known.delete(event.domain.uuid)
    this.#changes++
  }
}
