import { limits } from '../limits.js'
import { covirtProgram, messagesOf, proceduresOf } from '../procedure.js'
import { domain } from '../values/index.js'
import { array, bool, int, optional, string, struct, uhyper, uint } from '../xdr/index.js'

const procedure = proceduresOf(covirtProgram)
const message = messagesOf(covirtProgram)

/** More roles or hypervisors than anyone has. */
const maxNames = 256

/** More arguments or variables than a program can be given (execve(2) bounds them by their bytes). */
const maxWords = 65_536

const variable = struct({ name: string, value: string })
const terminalSize = struct({ columns: uint, rows: uint })

const hypervisor = struct({ name: string, version: string })

const stats = struct({
  domain,
  type: string,
  state: int,
  reason: int,
  maxMemoryKib: uhyper,
  memoryKib: uhyper,
  vcpus: uint,
  cpuTimeNs: uhyper,
  persistent: bool,
  autostart: bool,
})

/** The arguments of a role's method as one text (see `encodeRoleValue`), but for the options at their end. */
const roleCall = { role: string, method: string, args: string }

/**
 * What covirt's contract has and libvirt's protocol lacks, so that nothing is lost between covirt's own ends. A
 * server that has this program answers 1 to feature `covirt`.
 */
export const covirtProcedures = {
  /** What stands behind the connection: the roles of the driver, and services of the server besides. */
  covirtDescribe: procedure(
    1,
    'DESCRIBE',
    'read',
    {},
    {
      library: string,
      hypervisors: array(hypervisor, maxNames),
      roles: array(string, maxNames),
      services: array(string, maxNames),
      nativeFormats: array(string, maxNames),
    },
  ),
  /**
   * Cancels the call with this serial on the same connection. The cancelled call is answered as any other, with
   * `OPERATION_ABORTED` where it was not over before.
   */
  covirtCancel: procedure(2, 'CANCEL', 'read', { serial: uint }, {}),
  /** All that a list shows of each domain, in one call; `states` are libvirt's numbers. */
  covirtGetAllDomainStats: procedure(
    3,
    'GET_ALL_DOMAIN_STATS',
    'read',
    {
      active: optional(bool),
      persistent: optional(bool),
      autostart: optional(bool),
      states: optional(array(int, maxNames)),
    },
    { stats: array(stats, limits.objects) },
  ),
  /** Calls a method of a role that changes nothing. */
  covirtQueryRole: procedure(4, 'QUERY_ROLE', 'read', roleCall, { result: optional(string) }),
  /** Calls any other method of a role. */
  covirtCallRole: procedure(5, 'CALL_ROLE', 'write', roleCall, { result: optional(string) }),
  /**
   * Runs a program in a guest. Its stream carries what {@link ExecPacket} says, and ends after `exit`; a client that
   * gives the stream up kills the program.
   */
  covirtExec: procedure(
    6,
    'EXEC',
    'write',
    {
      domain,
      argv: array(string, maxWords),
      env: array(variable, maxWords),
      cwd: optional(string),
      uid: optional(uint),
      gid: optional(uint),
      terminal: optional(terminalSize),
      namespaces: optional(array(string, maxNames)),
    },
    { pid: optional(int) },
    { stream: 'both' },
  ),
  /**
   * Calls a method of a service that the server offers besides its driver, such as the plans of a host's boot. Text as
   * for roles. Before it is answered, messages `progress` may tell how far it is.
   */
  covirtCallService: procedure(
    8,
    'CALL_SERVICE',
    'read',
    { service: string, method: string, args: string },
    { result: optional(string) },
  ),
  /** Connects to a display of a guest without any file descriptor. Its stream is of {@link PipePacket}s. */
  covirtOpenGraphics: procedure(7, 'OPEN_GRAPHICS', 'write', { domain, index: uint }, {}, { stream: 'both' }),
  /** Reads a file of a guest. Its stream is of {@link PipePacket}s. */
  covirtReadFile: procedure(
    9,
    'READ_FILE',
    'write',
    { domain, path: string, offsetBytes: optional(uhyper), lengthBytes: optional(uhyper) },
    {},
    { stream: 'both' },
  ),
  /** Writes a file of a guest: it is there once the stream, of {@link PipePacket}s, has ended well. */
  covirtWriteFile: procedure(
    10,
    'WRITE_FILE',
    'write',
    { domain, path: string, mode: optional(uint), uid: optional(uint), gid: optional(uint) },
    {},
    { stream: 'both' },
  ),
  /** Opens a console as the contract has it. Its stream is of {@link PipePacket}s; `resizes`: they may be of `resize`. */
  covirtOpenConsole: procedure(
    11,
    'OPEN_CONSOLE',
    'write',
    { domain, device: optional(string), force: bool, shared: bool, historyBytes: uint },
    { resizes: bool },
    { stream: 'both' },
  ),
}

/** What covirt tells without being asked, and libvirt's protocol has no message for. */
export const covirtMessages = {
  /** Some events could not be told: the client has to look for itself. */
  resync: message(100, 'RESYNC', { dropped: optional(uint) }),
  /** How far the call with this serial is. Text as for roles. */
  progress: message(101, 'PROGRESS', { serial: uint, value: string }),
}
