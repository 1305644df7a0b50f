import { messagesOf, proceduresOf, qemuProgram } from '../procedure.js'
import { domain } from '../values/index.js'
import { hyper, int, optional, string, uint } from '../xdr/index.js'

const procedure = proceduresOf(qemuProgram)
const message = messagesOf(qemuProgram)

/** What libvirt offers for QEMU alone. */
export const qemuProcedures = {
  qemuMonitorCommand: procedure(
    1,
    'DOMAIN_MONITOR_COMMAND',
    'write',
    { domain, command: string, flags: uint },
    { result: string },
  ),
  qemuAttach: procedure(2, 'DOMAIN_ATTACH', 'write', { pid: uint, flags: uint }, { domain }),
  qemuAgentCommand: procedure(
    3,
    'DOMAIN_AGENT_COMMAND',
    'write',
    { domain, command: string, timeoutS: int, flags: uint },
    { result: optional(string) },
  ),
  qemuMonitorEventRegister: procedure(
    4,
    'CONNECT_DOMAIN_MONITOR_EVENT_REGISTER',
    'write',
    { domain: optional(domain), event: optional(string), flags: uint },
    { callbackId: int },
  ),
  qemuMonitorEventDeregister: procedure(
    5,
    'CONNECT_DOMAIN_MONITOR_EVENT_DEREGISTER',
    'write',
    { callbackId: int },
    {},
  ),
  qemuMonitorCommandWithFiles: procedure(
    7,
    'DOMAIN_MONITOR_COMMAND_WITH_FILES',
    'write',
    { domain, command: string, flags: uint },
    { result: string },
    { descriptors: 'reply' },
  ),
}

/** What QEMU's monitor tells, as it is. */
export const qemuMessages = {
  monitorEvent: message(6, 'DOMAIN_MONITOR_EVENT', {
    callbackId: int,
    domain,
    event: string,
    seconds: hyper,
    micros: uint,
    details: optional(string),
  }),
}
