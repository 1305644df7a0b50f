import type { AddressSource, Connection, Domain, OpenOptions, RoleName, ShutdownMode } from '@covirt/core'

/**
 * What the author of a driver provides so that the conformance suite can run on it. A driver's compliance
 * test is one call:
 *
 *     describeDriver('the LXC driver', lxcFixture)
 *
 * Things that a suite needs and a driver may be unable to arrange are *abilities*. Each one is either there,
 * as a member of {@link DriverWorld}, or named in `leftOut` with the reason; the tests that need it then say
 * so in their names.
 */
export interface DriverFixture {
  /** `Driver.type` of what is tested. */
  readonly type: string
  /** Exactly the roles that the driver has. */
  readonly roles: readonly RoleName[]
  /** The modes of shutdown and reboot that the driver has; all others it refuses. May be empty. */
  readonly shutdownModes: readonly ShutdownMode[]
  /** The sources that role `addresses` has. Default none. */
  readonly addressSources?: readonly AddressSource[]
  /** Which abilities there are not, and why: `{ panic: 'containers have no kernel of their own' }`. */
  readonly leftOut: Readonly<Partial<Record<Ability, string>>>
  /**
   * Of a peer that is not covirt's: promises that it does not keep, by the titles of their tests, and what it does
   * instead. A driver of one's own has none.
   */
  readonly notKept?: Readonly<Record<string, string>>

  /** All worlds are one place, which each test leaves empty for the next: no guest outlives its test. */
  readonly oneWorldAtATime?: boolean

  /** Makes a place where no domain is and that no other test uses. One test, one world, but for those that share a guest. */
  world(): Promise<DriverWorld>
}

/** A driver's state, apart from that of all others: for a driver on this host, a root directory. */
export interface DriverWorld extends AsyncDisposable {
  /** Opens the driver on this world. Again after a close, and twice at a time, too. */
  open(options?: Pick<OpenOptions, 'signal' | 'logger'>): Promise<Connection>

  /**
   * A name for a domain that nothing else on this host has, beginning with `prefix`. It holds letters, digits
   * and dashes alone.
   */
  uniqueName(prefix: string): string

  /**
   * A definition in the simplest form in which the driver's users write it, of a guest that starts and stops
   * as fast as the technology can.
   */
  domainXml(spec: DomainSpec): string

  /** Resolves once the active guest has come up so far that it acts on what it is asked. */
  ready(domain: Domain): Promise<void>

  /** Ability: virtual time. Lets `ms` milliseconds pass on the clock that the driver was opened with. */
  advance?(ms: number): Promise<void>
  /** Ability: ends the guest from outside at once, behind the driver's back, as `kill -9` does. */
  kill?(domain: Domain): Promise<void>
  /** Ability: makes the guest's system panic. Resolves once it has been brought about. */
  panic?(domain: Domain): Promise<void>
  /** Ability: makes the guest switch itself off. Resolves once it has been brought about. */
  powerOff?(domain: Domain): Promise<void>
  /** Ability: makes the guest restart by itself. Resolves once it has been brought about. */
  restart?(domain: Domain): Promise<void>
  /** Ability: something that a domain has stored, and that snapshots keep. At any time, also while the guest runs. */
  readonly storage?: {
    write(domain: Domain, text: string): Promise<void>
    read(domain: Domain): Promise<string>
  }
  /**
   * Ability: puts something into the memory of a ready guest that its next boot loses, and tells, once, whether it is
   * still there.
   */
  readonly memory?: {
    put(domain: Domain): Promise<void>
    has(domain: Domain): Promise<boolean>
  }
  /** Ability: an absolute path on the driver's host where a test may make a file of this name. */
  filePath?(name: string): string
  /** Ability: what is written to a ready guest's console, and what it then writes to it. */
  readonly dialogue?: { readonly say: string; readonly hear: string }
  /**
   * Ability: a device of which a running guest can be given one more, and which can be taken from it. `changed` is the
   * same with something about it that can be changed while the guest has it; both have an identity of their own.
   * `word` stands in the document of a domain that has it, and `changedWord` where it has been changed.
   */
  readonly spareDevice?: {
    readonly xml: string
    readonly word: string
    readonly changed: string
    readonly changedWord: string
  }
}

/** What a domain of a test is to be like. */
export interface DomainSpec {
  readonly name: string
  /** Without: the definition has no `<uuid>`. */
  readonly uuid?: string | undefined
  /** The value of `<memory unit='KiB'>`. Without: what the guest needs. */
  readonly memoryKib?: number | undefined
  /**
   * Elements to stand directly below `<domain>`: any of `<title>`, `<description>`, `<metadata>`,
   * `<on_poweroff>`, `<on_reboot>`, `<on_crash>`, which the fixture itself therefore does not use.
   */
  readonly elements?: string | undefined
  /** Without: `plain`. */
  readonly guest?: GuestKind | undefined
  /** It runs while other tests do what they like with theirs, and with what these hold on disks. Without: false. */
  readonly lasting?: boolean | undefined
  /** Ability: somewhere in the definition stands this password, which documents show with `secure` alone. */
  readonly password?: string | undefined
}

/**
 * - `plain`: does what it is asked, at once.
 * - `deaf`: never goes off when asked to.
 * - `inattentive`: misses the first time that it is asked to go off, and acts on the second.
 * - `broken`: its definition is accepted, and its start fails.
 * - `slow`: its start takes at least five seconds, and can be aborted meanwhile.
 * - `stuck`: its start never ends by itself, and can be aborted.
 * - `screen`: has a screen, and a display to connect to.
 * - `agent`: has an agent, which answers as soon as the guest is `ready`.
 */
export type GuestKind = 'plain' | Exclude<GuestAbility, 'reboots'>

/** Abilities that are kinds of guests; `reboots`: a plain guest restarts when `rebootDomain` asks it to. */
export type GuestAbility =
  | 'deaf'
  | 'inattentive'
  | 'broken'
  | 'slow'
  | 'stuck'
  | 'agent'
  | 'screen'
  | 'reboots'

/**
 * What a fixture can do, or leaves out. `sharedConsole`: several may look at a console together; `consoleHistory`: and
 * see what it printed before. `tuning`: what a guest may use can be changed while it runs.
 */
export type Ability =
  | 'advance'
  | 'kill'
  | 'panic'
  | 'powerOff'
  | 'restart'
  | 'memory'
  | 'filePath'
  | 'dialogue'
  | 'spareDevice'
  | 'tuning'
  | 'sharedConsole'
  | 'consoleHistory'
  | 'storage'
  | 'password'
  | GuestAbility
