import type { CallOptions } from './abort.js'
import type { DomainFilter, DomainInfo, DomainKey, DomainRef, DomainStats } from './domain.js'
import type { DriverEvent } from './domain-event.js'
import type { DomainMetadata, MetadataOptions } from './domain-metadata.js'
import type { DomainState } from './domain-state.js'
import type { GuestKind, NodeInfo, VersionInfo } from './host.js'
import type { OptionalRoles } from './roles.js'

/** How a domain is started. */
export interface StartOptions extends CallOptions {
  /** Leave the guest paused before its first instruction, in state `paused`, reason `user`. */
  readonly paused?: boolean | undefined
  /** Throw away the state that role `savedState` keeps for the domain, and boot. */
  readonly forceBoot?: boolean | undefined
}

/** What goes with a definition that is removed. */
export interface UndefineOptions extends CallOptions {
  /** Remove the state that role `savedState` keeps for the domain as well. */
  readonly managedSave?: boolean | undefined
}

/** By what means a guest is asked to go down or to restart. */
export const shutdownModes = ['acpi', 'agent', 'initctl', 'signal'] as const

/** One of {@link shutdownModes}. */
export type ShutdownMode = (typeof shutdownModes)[number]

/** How a guest is asked to go down or to restart. */
export interface ShutdownOptions extends CallOptions {
  /**
   * The one means to use; `ARGUMENT_UNSUPPORTED` where the driver does not have it. Default: the driver's
   * best, falling back to its others.
   */
  readonly mode?: ShutdownMode | undefined
}

/** Which of a domain's documents is meant, and how much of it is shown. */
export interface XmlOptions extends CallOptions {
  /** The definition that the next start uses, even where the domain is active. */
  readonly inactive?: boolean | undefined
  /** Include passwords, which are left out otherwise. */
  readonly secure?: boolean | undefined
}

/** How a domain is suspended. */
export interface SuspendOptions extends CallOptions {
  /**
   * Only for as long as a task of this process takes: where the process ends before it resumes the guest, that goes on as soon as
   * it is found again. Drivers of other processes' domains need not know it.
   */
  readonly brief?: boolean | undefined
}

/** Ends a subscription; calling it again does nothing. */
export type Unsubscribe = () => void

/**
 * The outer contract: what users, servers, life-cycle runners and remote clients speak to, whatever runs the
 * guests behind it. Each sentence here is tested by the contract suite against every driver.
 *
 * **Terms.** A *domain* is a definition, a guest, or both. It is *persistent* when it has a stored
 * definition and *transient* when it has only a guest; it is *active* while it has a guest.
 *
 * A persistent domain may be defined by another program, in files of that program. It can be driven like any other; to
 * undefine, rename or mark it, to change its definition, or to take snapshots, is `OPERATION_INVALID` until it is defined anew,
 * which makes it the driver's own; its guest is changed as any other's. What other programs define, remove, start and stop is told by the same events.
 *
 * **States.** `shutoff → running` by start or create; `running ⇄ paused` by suspend and resume; any active
 * state `→ shutoff` by the guest's own end, shutdown or destroy. A transient domain disappears at the moment
 * it would become `shutoff`. `crashed` is a guest that has panicked and is kept for inspection
 * (`<on_crash>preserve`). `nostate` is a guest of an earlier process that may run but cannot be reached:
 * `destroyDomain` ends it, and all else is refused with `OPERATION_INVALID` and the reason.
 *
 * **Documents** travel as XML text in libvirt's form. What a driver does not know in them is kept and given
 * back; what it knows and cannot do is refused with `CONFIG_UNSUPPORTED` when the domain is defined, not when
 * it is started; what is wrong in them is `XML_ERROR`.
 *
 * **Identity.** Names and uuids are each unique in a connection; an active domain has an `id` too. Methods
 * find the domain by the reference's uuid; `NO_DOMAIN` where there is none.
 *
 * **Ends.** `stopped` tells that nothing of the guest runs any more, as soon as that is so. Where the guest ended by itself
 * what it held on the host may be free only some moments later: calls that change the domain, and those that give another
 * one its name, wait for that. After `destroyDomain` all is free.
 *
 * **Order.** State is committed, then the event emitted, then the call resolves: a listener that asks sees the
 * new state, and a caller that has awaited has missed no event of its call.
 *
 * **Concurrency.** Calls may overlap freely. Those that change a domain run one at a time per domain in the
 * order in which they were made; queries never wait for them. `destroyDomain` does not wait either: it aborts
 * the call under way, which rejects with `OPERATION_ABORTED`, and runs next. A call that has waited too long
 * is refused with `OPERATION_TIMEOUT`, and the message names what it waited for.
 *
 * **Cancellation.** Every call takes a `signal`. Fired before the call: it rejects with `OPERATION_ABORTED`
 * and has done nothing. Fired during it: what was done is undone (a start leaves no guest), then it rejects
 * so. Fired afterwards: nothing happens.
 *
 * **Refusal.** A call that rejects has changed nothing and emitted nothing, but for `stopped`/`failed` where
 * a guest died while it was being started and had been announced already.
 */
export interface Driver extends OptionalRoles {
  /** What kind it is, in libvirt's words: `LXC`, `QEMU`, `TEST`. */
  readonly type: string
  /** The canonical URI of the connection. */
  readonly uri: string

  /** The host and what guests it can run: libvirt's `<capabilities>` document. */
  getCapabilities(options?: CallOptions): Promise<string>
  /**
   * What guests of one kind can have: libvirt's `<domainCapabilities>` document, of virtual machines before containers where
   * `kind` leaves that open. `INVALID_ARG` where there are no such guests here. Nothing is run for it, so that readers may
   * ask for it too; libvirt's own daemons run the emulator, and refuse readers.
   */
  getDomainCapabilities(kind?: GuestKind, options?: CallOptions): Promise<string>
  getHostname(options?: CallOptions): Promise<string>
  getNodeInfo(options?: CallOptions): Promise<NodeInfo>
  getVersion(options?: CallOptions): Promise<VersionInfo>

  /**
   * The domains that pass `filter`, in no particular order. A domain that vanishes meanwhile is left out; it
   * never fails the list.
   */
  listDomains(filter?: DomainFilter, options?: CallOptions): Promise<readonly DomainRef[]>
  /** As {@link listDomains}, with all that a list shows of each, in one call. */
  getAllDomainStats(filter?: DomainFilter, options?: CallOptions): Promise<readonly DomainStats[]>
  /** The one domain with this name, uuid or id; `NO_DOMAIN` where there is none. */
  lookupDomain(key: DomainKey, options?: CallOptions): Promise<DomainRef>

  /**
   * Stores a definition, durably before it resolves.
   * - A new name and uuid: a new persistent domain, off. Emits `defined`/`added`. Without `<uuid>` it gets a
   *   random one.
   * - The name and uuid of a persistent domain: replaces its definition; an active guest is untouched and the
   *   change is seen at the next start. Emits `defined`/`updated`.
   * - The name and uuid of a transient domain: makes it persistent. Emits `defined`/`added`.
   * - A name or a uuid that another domain has: `DOM_EXIST`.
   */
  defineDomain(xml: string, options?: CallOptions): Promise<DomainRef>
  /**
   * Removes the definition and its autostart flag. Emits `undefined`/`removed`. An active domain goes on as a
   * transient one; one that is off is gone. `OPERATION_INVALID` where the domain is transient, and where it has a
   * managed state (see role `savedState`) that is not to be removed with it.
   */
  undefineDomain(domain: DomainRef, options?: UndefineOptions): Promise<void>
  /**
   * Gives a persistent domain that is off another name; the uuid stays. Definition, autostart flag and log go
   * by it from then on: also after a loss of power either all by the new one or all by the old. Emits
   * `undefined`/`renamed` with the old name, then `defined`/`renamed` with the new. `DOM_EXIST` where another
   * domain has the name, `OPERATION_INVALID` where the domain is transient, active, or has it itself, and
   * `XML_ERROR` where no domain can be called so.
   */
  renameDomain(domain: DomainRef, newName: string, options?: CallOptions): Promise<DomainRef>
  /**
   * Changes a title, a description, or an element of the domain's `<metadata>`, in the document of its guest, in its
   * definition, or in both: all or neither. What the guest does is not touched; definitions are durable before it
   * resolves. `INVALID_ARG` where a text or a namespace cannot be had, `XML_ERROR` where `xml` is not one element.
   */
  setDomainMetadata(domain: DomainRef, metadata: DomainMetadata, options?: MetadataOptions): Promise<void>
  /**
   * The domain's document. Of an active domain its live form, with `id` and run-time facts (device aliases,
   * ports, paths), or with `inactive` its definition, which for a transient domain is the one it was created
   * with. A definition that was given out can be defined again unchanged.
   */
  getDomainXml(domain: DomainRef, options?: XmlOptions): Promise<string>
  /** Whether it has a stored definition. */
  isDomainPersistent(domain: DomainRef, options?: CallOptions): Promise<boolean>
  getAutostart(domain: DomainRef, options?: CallOptions): Promise<boolean>
  /** Marks the domain to be started at boot; durable. `OPERATION_INVALID` where it is transient. */
  setAutostart(domain: DomainRef, autostart: boolean, options?: CallOptions): Promise<void>

  /**
   * Starts a transient domain from `xml`. Emits `started`/`booted`. With the name and uuid of a persistent
   * domain that is off, it starts that one with this document and keeps the stored definition. `DOM_EXIST`
   * where another domain has the name or the uuid, `OPERATION_INVALID` where the domain is active.
   */
  createDomain(xml: string, options?: StartOptions): Promise<DomainRef>
  /**
   * Starts the guest of a persistent domain and resolves to its new reference once the hypervisor runs it
   * (not: once the guest's system is up). Emits `started`/`booted`, and with `paused` then
   * `suspended`/`paused`. `OPERATION_INVALID` where it is active.
   */
  startDomain(domain: DomainRef, options?: StartOptions): Promise<DomainRef>
  /**
   * Asks the guest to shut down, and resolves once it has been asked: the guest may take its time. The
   * request is sent again until the guest goes off, for a minute at the most, because a guest that is still
   * booting loses it; where the driver is closed meanwhile, the next to open it goes on with that. A paused
   * guest is resumed first, as it could not act otherwise. When the guest goes off, `stopped`/`shutdown` is
   * emitted. `OPERATION_INVALID` where it is not active.
   */
  shutdownDomain(domain: DomainRef, options?: ShutdownOptions): Promise<void>
  /**
   * Asks the guest to restart, and resolves once it has been asked. When it does, the domain's `<on_reboot>`
   * decides: `restart` (the default) keeps the domain active with the same id and emits `reboot`; `destroy`
   * stops it, emitting `stopped`/`shutdown`. A paused guest is resumed first. `OPERATION_INVALID` where it is
   * not active.
   */
  rebootDomain(domain: DomainRef, options?: ShutdownOptions): Promise<void>
  /**
   * Ends the guest at once, without its cooperation, and resolves when it is gone and all it held on the host
   * is free. Emits `stopped`/`destroyed`. `OPERATION_INVALID` where it is not active.
   */
  destroyDomain(domain: DomainRef, options?: CallOptions): Promise<void>
  /**
   * Stops the guest's processors (or processes) until it is resumed. Emits `suspended`/`paused`. Suspending a
   * paused domain does nothing. `OPERATION_INVALID` where it is not active or has crashed.
   */
  suspendDomain(domain: DomainRef, options?: SuspendOptions): Promise<void>
  /**
   * Lets a paused guest go on. Emits `resumed`/`unpaused`. Resuming a running domain does nothing.
   * `OPERATION_INVALID` where it is not active or has crashed.
   */
  resumeDomain(domain: DomainRef, options?: CallOptions): Promise<void>

  getDomainState(domain: DomainRef, options?: CallOptions): Promise<DomainState>
  getDomainInfo(domain: DomainRef, options?: CallOptions): Promise<DomainInfo>

  /**
   * Calls `listener` for every event of every domain, in the order in which they happen, until unsubscribed.
   * A listener that throws harms no other. No lock is held while listeners run: they may call the driver.
   * Nothing is missed without a word: a driver that cannot tell events, as its peer was away, tells `resync`.
   */
  subscribe(listener: (event: DriverEvent) => void): Unsubscribe

  /**
   * Ends this use of the driver: once per open. Guests live on, and the next open finds them. Calls under way
   * are aborted. The {@link Connection} handle refuses calls after it; drivers need not.
   */
  close(): Promise<void>
}
