import type { CallOptions } from './abort.js'
import type { DomainFilter, DomainKey, DomainRef, DomainStats } from './domain.js'
import type { DriverEvent } from './domain-event.js'
import { type Domain, DomainHandle } from './domain-handle.js'
import type { Driver, StartOptions, Unsubscribe } from './driver.js'
import { VirError } from './errors.js'
import { EventStream, type EventStreamOptions } from './event-stream.js'
import type { GuestKind, NodeInfo, VersionInfo } from './host.js'
import { requireRole } from './require-role.js'
import type { RestoreOptions, SavedXmlOptions } from './saved-state-role.js'

/**
 * An open connection: what `open(uri)` resolves to. It owns what is the same for every driver: argument
 * checks, handles, subscriptions, and its own end. `D` is the driver, where it is known.
 */
export class Connection<D extends Driver = Driver> implements AsyncDisposable {
  /** The domains of this connection. */
  readonly domains: DomainCollection<D>
  readonly #driver: D
  readonly #endings = new Set<() => void>()
  #closing: Promise<void> | undefined

  /** Takes over `driver`: closing the connection closes it. */
  constructor(driver: D) {
    this.#driver = driver
    this.domains = new DomainCollection<D>(this)
  }

  /** The driver behind it. `INVALID_CONN` once the connection is closed. */
  get driver(): D {
    if (this.#closing) {
      throw new VirError('INVALID_CONN', `The connection to ${this.#driver.uri} is closed`)
    }
    return this.#driver
  }

  /** The canonical URI. */
  get uri(): string {
    return this.#driver.uri
  }

  /** The driver's kind, in libvirt's words: `LXC`, `QEMU`, `TEST`. */
  get type(): string {
    return this.#driver.type
  }

  get closed(): boolean {
    return this.#closing !== undefined
  }

  /** libvirt's `<capabilities>` document. */
  async capabilities(options?: CallOptions): Promise<string> {
    return this.driver.getCapabilities(options)
  }

  /** libvirt's `<domainCapabilities>` document of one kind of guests. `INVALID_ARG` where there are none of it. */
  async domainCapabilities(kind?: GuestKind, options?: CallOptions): Promise<string> {
    return this.driver.getDomainCapabilities(kind, options)
  }

  async hostname(options?: CallOptions): Promise<string> {
    return this.driver.getHostname(options)
  }

  async nodeInfo(options?: CallOptions): Promise<NodeInfo> {
    return this.driver.getNodeInfo(options)
  }

  async version(options?: CallOptions): Promise<VersionInfo> {
    return this.driver.getVersion(options)
  }

  /** Role `nativeConfig`: the document of a domain that a configuration of the hypervisor's own tools describes. */
  async domainXmlFromNative(format: string, config: string, options?: CallOptions): Promise<string> {
    return requireRole(this.driver, 'nativeConfig').domainXmlFromNative(
      requireString('format', format),
      requireString('config', config),
      options,
    )
  }

  /** Role `nativeConfig`: a document as a configuration of the hypervisor's own tools. */
  async domainXmlToNative(format: string, xml: string, options?: CallOptions): Promise<string> {
    return requireRole(this.driver, 'nativeConfig').domainXmlToNative(
      requireString('format', format),
      requireString('xml', xml),
      options,
    )
  }

  /** Calls `listener` for each event of this type (`lifecycle`, `reboot`, `agent`, `resync`) until unsubscribed or closed. */
  on<T extends DriverEvent['type']>(
    type: T,
    listener: (event: Extract<DriverEvent, { type: T }>) => void,
  ): Unsubscribe {
    return this.subscribe((event) => {
      if (event.type === type) listener(event as Extract<DriverEvent, { type: T }>)
    })
  }

  /** Calls `listener` for each event until unsubscribed or closed. */
  subscribe(listener: (event: DriverEvent) => void): Unsubscribe {
    if (typeof listener !== 'function') throw new TypeError('listener must be a function')
    const stop = this.driver.subscribe(listener)
    const unsubscribe = () => {
      this.#endings.delete(unsubscribe)
      stop()
    }
    this.#endings.add(unsubscribe)
    return unsubscribe
  }

  /**
   * All events as an async iterable that listens from now on:
   * `for await (const event of connection.events({ signal })) …`. It waits for a slow reader up to a bound, and
   * says with a `resync` that it had to drop some. It ends when the connection is closed.
   */
  events(options?: EventStreamOptions): EventStream {
    // Made first: the stream may end while it is being made, where its signal has fired.
    const end = () => stream.end()
    const stream = new EventStream(
      (listener) => this.driver.subscribe(listener),
      options,
      () => this.#endings.delete(end),
    )
    if (!stream.ended) this.#endings.add(end)
    return stream
  }

  /** Ends the connection; guests live on. Calling it again waits for the same end. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    for (const end of this.#endings) end()
    await this.#driver.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** The domains of a connection: lists, look-ups, and the ways in which domains come into being. */
export class DomainCollection<D extends Driver = Driver> {
  readonly #connection: Connection<D>

  constructor(connection: Connection<D>) {
    this.#connection = connection
  }

  /** Handles of the domains that pass `filter`. */
  async list(filter?: DomainFilter, options?: CallOptions): Promise<readonly Domain<D>[]> {
    const found = await this.#connection.driver.listDomains(filter, options)
    return found.map((ref) => this.#handle(ref))
  }

  /** State, memory, processors, flags of the domains that pass `filter`: one call for a whole list. */
  async stats(filter?: DomainFilter, options?: CallOptions): Promise<readonly DomainStats[]> {
    return this.#connection.driver.getAllDomainStats(filter, options)
  }

  async lookupByName(name: string, options?: CallOptions): Promise<Domain<D>> {
    return this.#lookup({ name: requireString('name', name) }, options)
  }

  /** With or without dashes, in either case. */
  async lookupByUuid(uuid: string, options?: CallOptions): Promise<Domain<D>> {
    return this.#lookup({ uuid: requireString('uuid', uuid) }, options)
  }

  async lookupById(id: number, options?: CallOptions): Promise<Domain<D>> {
    if (!Number.isInteger(id)) throw new TypeError('id must be an integer')
    return this.#lookup({ id }, options)
  }

  /** Stores a definition (see `Driver.defineDomain`). */
  async define(xml: string, options?: CallOptions): Promise<Domain<D>> {
    return this.#handle(await this.#connection.driver.defineDomain(requireString('xml', xml), options))
  }

  /** Starts a transient domain (see `Driver.createDomain`). */
  async create(xml: string, options?: StartOptions): Promise<Domain<D>> {
    return this.#handle(await this.#connection.driver.createDomain(requireString('xml', xml), options))
  }

  /** Role `savedState`: starts the guest that was saved to the file `path` of the driver's host. */
  async restore(path: string, options?: RestoreOptions): Promise<Domain<D>> {
    const { driver } = this.#connection
    const savedState = requireRole(driver, 'savedState')
    return this.#handle(await savedState.restoreDomain(requireString('path', path), options))
  }

  /** Role `savedState`: the definition in the file `path`, to which a guest was saved. */
  async savedXml(path: string, options?: SavedXmlOptions): Promise<string> {
    const savedState = requireRole(this.#connection.driver, 'savedState')
    return savedState.getSavedXml(requireString('path', path), options)
  }

  async #lookup(key: DomainKey, options: CallOptions | undefined): Promise<Domain<D>> {
    return this.#handle(await this.#connection.driver.lookupDomain(key, options))
  }

  #handle(ref: DomainRef): Domain<D> {
    return new DomainHandle(this.#connection, ref)
  }
}

function requireString(what: string, value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`${what} must be a string`)
  return value
}
