import type {
  BlkioParameters,
  CallOptions,
  Clock,
  DomainRef,
  ErrorDomain,
  Logger,
  MemoryParameters,
  OptionalRoles,
  SchedulerParameters,
  ShutdownMode,
} from '@covirt/core'
import type { DeviceKind, DomainDevice, DomainXml } from '@covirt/xml'

/**
 * The inner contract: all that a new way of running guests writes. `LocalDriver` turns it into the outer one
 * and owns everything that is the same everywhere: names, ids, persistence, jobs, autostart, the `on_…`
 * actions, states and events.
 *
 * The two halves never share state. `LocalDriver` calls at most one of `launch`, `shutdown`, `reboot`,
 * `pause`, `resume`, `kill` at a time per domain, and `kill` also during any other; queries may come at any
 * time. A guest tells what happens to it by itself through its {@link GuestSink}.
 */
export interface Hypervisor {
  /** In libvirt's words: `LXC`, `QEMU`, `TEST`. */
  readonly type: string
  /** The domain of the errors it reports. */
  readonly errorDomain: ErrorDomain
  /** The values of `<domain type=…>` it runs. */
  readonly domainTypes: readonly string[]
  /** What runs the guests, with its version, for example `{ liblxc: '5.0.2' }`. */
  readonly versions: Readonly<Record<string, string>>

  /** Guests can be saved: they have {@link Guest.save}, and `launch` takes a `state`. */
  readonly savesGuests?: boolean

  /** What may be tuned, with what holds where a definition says nothing; without it there is no role `tuning`. */
  readonly tuning?: TuningDefaults

  /** libvirt's `<capabilities>` document. */
  getCapabilities(options: CallOptions): Promise<string>

  /**
   * Checks a definition and returns it with the driver's defaults filled in: what is stored, and what all
   * else is given. Looks at nothing outside the document. `CONFIG_UNSUPPORTED` for what this driver knows and
   * cannot do. Names, uuids and the type have been checked already. Preparing a prepared document again
   * changes nothing.
   */
  prepare(document: DomainXml): DomainXml

  /**
   * Starts a guest. Resolves once it runs (or is paused, where so asked); on rejection, by failure or by
   * `options.signal`, nothing of it is left on the host. From the moment it resolves, the sink is told of all
   * that happens.
   */
  launch(spec: LaunchSpec, options: CallOptions): Promise<Guest>

  /**
   * Finds again a guest that an earlier process launched, in whatever phase that process died. Resolves to it
   * if it runs, or to `undefined` once it has made sure that nothing of it is left on the host. The guest is
   * never stopped where it can be taken over. Rejects, leaving the guest alone, where it cannot be reached.
   */
  adopt(spec: AdoptSpec, options: CallOptions): Promise<Guest | undefined>

  /**
   * Ends a guest that cannot be adopted, by what its record, names and places tell, and resolves once nothing of
   * it is left on the host. Does nothing where there is none.
   */
  kill(spec: AdoptSpec): Promise<void>

  /** Domains that other programs define; without it there are none. */
  readonly foreign?: ForeignDomains | undefined
  /** What it does with storage for the role `snapshots`; without it the driver does not have that role. */
  readonly snapshots?: StorageSnapshots | undefined

  /** The roles this driver has; they reach guests through `access`. Called once. */
  roles(access: GuestAccess): OptionalRoles

  /**
   * Throws where a guest of `document` would harm what guests of other domains keep, or they what it keeps. Called before
   * each start and each revert to a snapshot, with all other domains.
   */
  checkShared?(document: DomainXml, others: readonly SharingDomain[]): void

  /**
   * Told which domains there are, once all have been loaded and whenever one has gone for good: what the driver keeps
   * on the host for domains of any other uuid is free.
   */
  retain?(uuids: ReadonlySet<string>): void

  /** Frees what is shared between guests. Guests are untouched; each has been released before. */
  close(): Promise<void>
}

/** A domain beside another one. */
export interface SharingDomain {
  /** What it runs from, or would. */
  readonly document: DomainXml
  /** It has a guest, or is about to. */
  readonly active: boolean
}

/** Which guest to launch, and with what. */
export interface LaunchSpec {
  /** With the id it will have. */
  readonly domain: DomainRef & { readonly id: number }
  /** A prepared definition. */
  readonly document: DomainXml
  /** The domain's own places on the host, all below directories that exist. */
  readonly places: GuestPlaces
  readonly sink: GuestSink
  readonly clock: Clock
  readonly logger: Logger
  /** Leave it paused before its first instruction. */
  readonly paused: boolean
  /** The snapshot that the guest's memory is taken from: it goes on from there instead of booting. */
  readonly memory?: string | undefined
  /**
   * What a guest of this definition gave to {@link Guest.save}: it goes on from there instead of booting. The launch
   * rejects where it is none, and with what it throws.
   */
  readonly state?: AsyncIterable<Uint8Array> | undefined
  /** It is one of {@link ForeignDomains}: launched as that program's own files say, of which nothing is changed. */
  readonly isForeign?: boolean | undefined
}

/** Which guest to find again. */
export interface AdoptSpec extends Omit<LaunchSpec, 'paused' | 'memory' | 'state'> {
  /** {@link Guest.record} as last stored; `undefined` where the process died while it was launching. */
  readonly record: GuestRecord | undefined
}

/**
 * Domains that other programs have defined in files of their own, which are read and never written. They are persistent
 * and can be driven as any other; to change one it is defined anew, with which it becomes this driver's own. A domain of
 * the driver's own with the same name or uuid hides one of them.
 */
export interface ForeignDomains {
  /** All there are. Those that cannot be understood are left out. */
  list(): Promise<readonly ForeignDomain[]>
  /** The one of this name, as it is now; `undefined` where there is none. Rejects where it cannot be understood. */
  find(name: string): Promise<ForeignDomain | undefined>
  /**
   * Rejects where a domain that is defined anew so, and by that becomes the driver's own, would lose what those files say it
   * keeps: `CONFIG_UNSUPPORTED`.
   */
  checkRedefinition(name: string, document: DomainXml): Promise<void>
  /**
   * Calls `listener`, until `close` of the hypervisor, with the name of each domain that may have been defined, changed,
   * removed or started by others. The end of a guest is told by its sink once it has been adopted.
   */
  watch(listener: (name: string) => void): Promise<void>
}

/** A domain that another program has defined. */
export interface ForeignDomain {
  readonly name: string
  /** What its own files say, with a uuid that stays the same. */
  readonly document: DomainXml & { readonly uuid: string }
  readonly autostart: boolean
  /** It has a guest at this moment. */
  readonly active: boolean
}

/**
 * What a technology does for snapshots; trees, names and documents are `LocalDriver`'s, which calls each method within
 * a job of the domain.
 */
export interface StorageSnapshots {
  /** Whether a running guest's memory can be saved, and be launched from ({@link LaunchSpec.memory}). */
  readonly savesMemory: boolean
  /**
   * Saves the domain's storage as at one moment, and with `memory` the guest's memory at that moment; a guest that runs
   * goes on. Replaces what an earlier process that died meanwhile has left. On rejection nothing of it is left.
   */
  take(spec: TakeSnapshotSpec, options: CallOptions): Promise<void>
  /**
   * Makes the storage what it was; no guest runs. All of it or nothing, also where the process dies meanwhile: what is
   * then half done is finished or undone before the storage is used again. A restore that could not begin, as where the
   * storage is in use, does not happen later either.
   */
  restore(spec: SnapshotSpec, options: CallOptions): Promise<void>
  /**
   * Removes what was saved. Does nothing where there is nothing. Where it rejects, or the process dies meanwhile, it can be
   * called again, and `restore` refuses what is there in part only.
   */
  remove(spec: SnapshotSpec & { readonly guest?: Guest | undefined }): Promise<void>
}

/** Which snapshot is meant. */
export interface SnapshotSpec {
  readonly domain: DomainRef
  /** The definition whose storage is meant. */
  readonly document: DomainXml
  readonly places: GuestPlaces
  /** Its name: unique within the domain, and one component of a path. */
  readonly snapshot: string
  readonly logger: Logger
}

/** Of what a snapshot is taken. */
export interface TakeSnapshotSpec extends SnapshotSpec {
  /** Where the domain is active. */
  readonly guest?: Guest | undefined
  readonly memory: boolean
}

/** Where a domain may keep things. All are absolute, and derived from checked names only. */
export interface GuestPlaces {
  /** Run-time directory of this domain alone (sockets, pid files); made before launch, removed after the end. */
  readonly runDirectory: string
  /** Directory of this driver that outlives reboots; for what a domain's storage needs. */
  readonly stateDirectory: string
  /** The file that the guest's log goes to; its directory exists. */
  readonly logFile: string
}

/** What a driver has to remember to find a guest again; stored as JSON. */
export type GuestRecord = Readonly<Record<string, string | number | boolean>>

/** What a guest uses at this moment. */
export interface GuestInfo {
  /** In KiB. */
  readonly memoryKib: number
  /** Since start, in nanoseconds. */
  readonly cpuTimeNs: bigint
}

/** The parameters that a driver knows, each with what holds where nothing is said of it. */
export interface TuningDefaults {
  readonly scheduler: SchedulerParameters
  readonly memory: MemoryParameters
  readonly blkio: BlkioParameters
}

/** What of a definition tells how much a guest may use. */
export type GuestLimits = Pick<
  DomainXml,
  'memoryKib' | 'currentMemoryKib' | 'vcpu' | 'cputune' | 'memtune' | 'blkiotune'
>

/** A guest that runs. Its methods reject with a `VirError`; all but `release` and `kill` fail once it is gone. */
export interface Guest {
  /** The definition it was launched from, with run-time facts filled in: live XML, without `id`. */
  readonly document: DomainXml
  readonly record: GuestRecord
  /** In which state it is: what adoption finds. */
  readonly phase: GuestPhase

  info(options: CallOptions): Promise<GuestInfo>
  /** Asks it once to go down. `ARGUMENT_UNSUPPORTED` for a mode this driver does not have. */
  shutdown(mode: ShutdownMode | undefined, options: CallOptions): Promise<void>
  /** Asks it once to restart. */
  reboot(mode: ShutdownMode | undefined, options: CallOptions): Promise<void>
  pause(options: CallOptions): Promise<void>
  resume(options: CallOptions): Promise<void>
  /**
   * Where the hypervisor saves guests: stops it and hands its whole state to `write`, as an iterable that throws
   * where the state is not complete. Resolves after `write` has, with the guest still stopped and about to be killed.
   * Rejects with what `write` rejects with, or where it was cancelled before; the guest then goes on as it was.
   */
  save?(write: (state: AsyncIterable<Uint8Array>) => Promise<void>, options: CallOptions): Promise<void>
  /**
   * Where that is not the document that it was launched from, with the devices and limits that it has now: the one to
   * launch a guest of that is to go on from this one's state.
   */
  savedDocument?(document: DomainXml, options: CallOptions): Promise<DomainXml>
  /**
   * Where devices can be changed while guests run; `OPERATION_UNSUPPORTED` for those that cannot. Gives it one more, of
   * a prepared definition. Once it resolves the guest has the device and {@link document} says so, with an alias that
   * no other of its devices has; on rejection nothing of it is left. The same holds of the two that follow.
   *
   * What is changed stays over restarts of the guest, and is found by adoption: the devices of that kind in the
   * document that is stored are from then on those of {@link document}.
   */
  attachDevice?(device: DomainDevice, options: CallOptions): Promise<void>
  /** Takes one of {@link document} away. `OPERATION_TIMEOUT` where the guest does not let go of it. */
  detachDevice?(device: DomainDevice, options: CallOptions): Promise<void>
  /** Makes `device`, one of {@link document}, what `changed` says, which has its identity and alias. */
  updateDevice?(device: DomainDevice, changed: DomainDevice, options: CallOptions): Promise<void>
  /**
   * Where there is {@link Hypervisor.tuning}: lets it use what `limits`, of a prepared definition, say in place of what
   * its document says; that says so then. All of it or nothing; `OPERATION_UNSUPPORTED` for what cannot be changed
   * while guests run. What is changed stays over restarts of the guest.
   */
  tune?(limits: GuestLimits, options: CallOptions): Promise<void>
  /**
   * Ends it and resolves when it is gone and all it held on the host is free. Works in every state, more than
   * once, and cannot be cancelled. The sink's `exited` may come before or after.
   */
  kill(): Promise<void>
  /** Lets go of it without touching it: closes files, sockets, watchers. No event comes after that. */
  release(): Promise<void>
}

/** Whether a guest runs. `crashed` is one that has panicked and is kept. */
export type GuestPhase = 'running' | 'paused' | 'crashed'

/** How a guest ended: by its own power-off, by dying, or by somebody's kill. */
export type GuestExit =
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'crashed'; readonly message: string }
  | { readonly kind: 'killed' }

/** Where a guest tells what happens to it. Calls return at once; order is kept. */
export interface GuestSink {
  /**
   * Nothing of it runs any more and it will not restart, but it still holds something on the host: told at most once, before
   * `exited`, by those to whom freeing that takes time. Its `kill` resolves when all is free.
   */
  ended(exit: GuestExit): void
  /** It is gone and everything it held on the host has been freed. Told once, and last. */
  exited(exit: GuestExit): void
  /** It has restarted, and goes on with the same guest object. */
  rebooted(): void
  /** It was paused or resumed from elsewhere. */
  phaseChanged(phase: GuestPhase): void
  /** Its agent came or went. */
  agentChanged(state: 'connected' | 'disconnected'): void
  /** It has let go of a device that nobody waits for: `document` has others of this kind than before. */
  devicesChanged(kind: DeviceKind): void
  /** `document` or `record` has changed; both are stored again. */
  changed(): void
}

/** A domain, whatever its state. */
export interface FoundDomain {
  readonly domain: DomainRef
  /** What it runs from, or would. */
  readonly document: DomainXml
  /** Where it is active. */
  readonly guest: Guest | undefined
}

/** How role objects reach guests. */
export interface GuestAccess {
  /** Runs `query` on the guest of an active domain at once. `NO_DOMAIN`, `OPERATION_INVALID` otherwise. */
  query<T>(
    domain: DomainRef,
    options: CallOptions | undefined,
    query: (guest: Guest, options: CallOptions) => Promise<T>,
  ): Promise<T>
  /**
   * Runs `query` on any domain at once, active or not. `NO_DOMAIN`; `OPERATION_INVALID` where it has a guest that cannot
   * be reached.
   */
  look<T>(
    domain: DomainRef,
    options: CallOptions | undefined,
    query: (found: FoundDomain, options: CallOptions) => Promise<T>,
  ): Promise<T>
  /** Runs `job` on the guest of an active domain as one of its jobs: in turn, and aborted by `destroy`. */
  job<T>(
    domain: DomainRef,
    name: string,
    options: CallOptions | undefined,
    job: (guest: Guest, options: CallOptions) => Promise<T>,
  ): Promise<T>
}
