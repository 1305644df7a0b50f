import type { Duplex } from 'node:stream'
import type { CallOptions } from './abort.js'
import type { AddressesRole } from './addresses-role.js'
import type { DevicesRole } from './devices-role.js'
import type { DomainRef } from './domain.js'
import type { ExecRole } from './exec-role.js'
import type { FilesRole } from './files-role.js'
import type { GraphicsRole } from './graphics-role.js'
import type { GuestTimeRole } from './guest-time-role.js'
import type { KeyboardRole, NmiRole } from './keyboard-role.js'
import type { NativeConfigRole } from './native-config-role.js'
import type { ProcessesRole } from './processes-role.js'
import type { SavedStateRole } from './saved-state-role.js'
import type { SnapshotsRole } from './snapshots.js'
import type { StatisticsRole } from './statistics-role.js'
import type { TuningRole } from './tuning-role.js'

/** How a console is opened. */
export interface ConsoleOptions extends CallOptions {
  /** The alias of a serial or console device, as in live XML. Default: the first. */
  readonly device?: string | undefined
  /** Take the console away from whoever has it open; their stream ends. */
  readonly force?: boolean | undefined
  /**
   * Look at it together with others that do: all see what it prints, and what any of them types reaches it.
   * `ARGUMENT_UNSUPPORTED` where the driver lets only one open it.
   */
  readonly shared?: boolean | undefined
  /** With `shared`: begin with up to so many bytes of what was printed before, as far as that is kept. Default 0. */
  readonly historyBytes?: number | undefined
}

/** An open console. */
export type ConsoleStream = Duplex & {
  /** Tells the guest how big the terminal is; absent where it cannot be told. */
  readonly resize?: ((columns: number, rows: number) => void) | undefined
}

/** Role: the guest's serial or system console. */
export interface ConsoleRole {
  /**
   * Opens the console of an active domain as a stream of raw bytes in both directions.
   * - One opener at a time: a second one is refused with `OPERATION_FAILED`, or takes it with `force`. Those that
   *   open it `shared` are one opener together.
   * - A shared stream stays when the guest restarts.
   * - The stream ends when the guest goes off; ending or destroying the stream leaves the guest alone and
   *   frees the console before `close` is emitted.
   * - `OPERATION_INVALID` where the domain is not active, `INVALID_ARG` where it has no such device.
   */
  openConsole(domain: DomainRef, options?: ConsoleOptions): Promise<ConsoleStream>
}

/** Role: a reset button. */
export interface ResetRole {
  /**
   * Resets the guest as a machine's reset button does, without its cooperation; the domain stays active
   * with the same id. Emits `reboot`. `OPERATION_INVALID` where it is not active.
   */
  resetDomain(domain: DomainRef, options?: CallOptions): Promise<void>
}

/** How an agent command is sent. */
export interface AgentOptions extends CallOptions {
  /** How long the agent may take to answer. Default 5000. */
  readonly timeoutMs?: number | undefined
}

/** Role: an agent inside the guest that takes commands. */
export interface GuestAgentRole {
  /**
   * Sends one command, a JSON object such as `{"execute":"guest-ping"}`, and resolves to the JSON text of
   * the agent's whole answer. `AGENT_UNRESPONSIVE` where no agent answers in time or the domain has no
   * agent channel, `OPERATION_INVALID` where it is not running, `INVALID_ARG` where `command` is not a JSON
   * object.
   */
  agentCommand(domain: DomainRef, command: string, options?: AgentOptions): Promise<string>
}

/**
 * The optional abilities of a driver. Having the role object *is* the capability: there are no flags and no
 * stubs that refuse.
 */
export interface DriverRoles {
  readonly console: ConsoleRole
  readonly reset: ResetRole
  readonly guestAgent: GuestAgentRole
  readonly exec: ExecRole
  readonly processes: ProcessesRole
  readonly addresses: AddressesRole
  readonly files: FilesRole
  readonly snapshots: SnapshotsRole
  readonly savedState: SavedStateRole
  readonly graphics: GraphicsRole
  readonly keyboard: KeyboardRole
  readonly nmi: NmiRole
  readonly guestTime: GuestTimeRole
  readonly statistics: StatisticsRole
  readonly devices: DevicesRole
  readonly tuning: TuningRole
  readonly nativeConfig: NativeConfigRole
}

/** The name of a role. */
export type RoleName = keyof DriverRoles

/** The roles that a driver may have; a driver known to lack one declares it as `undefined`. */
export type OptionalRoles = { readonly [R in RoleName]?: DriverRoles[R] | undefined }

/** The names of all roles there are. */
export const roleNames = [
  'console',
  'reset',
  'guestAgent',
  'exec',
  'processes',
  'addresses',
  'files',
  'snapshots',
  'savedState',
  'graphics',
  'keyboard',
  'nmi',
  'guestTime',
  'statistics',
  'devices',
  'tuning',
  'nativeConfig',
] as const satisfies readonly RoleName[]
