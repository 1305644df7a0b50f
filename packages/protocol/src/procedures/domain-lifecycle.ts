import { procedure } from '../procedure.js'
import { domain } from '../values/index.js'
import { string, uhyper, uint } from '../xdr/index.js'

/** The way of a guest up and down. */
export const domainLifecycleProcedures = {
  domainCreate: procedure(9, 'DOMAIN_CREATE', 'write', { domain }, {}),
  domainCreateXml: procedure(10, 'DOMAIN_CREATE_XML', 'write', { xml: string, flags: uint }, { domain }),
  domainDestroy: procedure(12, 'DOMAIN_DESTROY', 'write', { domain }, {}),
  domainReboot: procedure(27, 'DOMAIN_REBOOT', 'write', { domain, flags: uint }, {}),
  domainResume: procedure(28, 'DOMAIN_RESUME', 'write', { domain }, {}),
  domainShutdown: procedure(33, 'DOMAIN_SHUTDOWN', 'write', { domain }, {}),
  domainSuspend: procedure(34, 'DOMAIN_SUSPEND', 'write', { domain }, {}),
  domainCreateWithFlags: procedure(
    196,
    'DOMAIN_CREATE_WITH_FLAGS',
    'write',
    { domain, flags: uint },
    { domain },
  ),
  domainDestroyFlags: procedure(234, 'DOMAIN_DESTROY_FLAGS', 'write', { domain, flags: uint }, {}),
  domainReset: procedure(245, 'DOMAIN_RESET', 'write', { domain, flags: uint }, {}),
  domainShutdownFlags: procedure(258, 'DOMAIN_SHUTDOWN_FLAGS', 'write', { domain, flags: uint }, {}),
  domainPmSuspendForDuration: procedure(
    261,
    'DOMAIN_PM_SUSPEND_FOR_DURATION',
    'write',
    { domain, target: uint, duration: uhyper, flags: uint },
    {},
  ),
  domainPmWakeup: procedure(267, 'DOMAIN_PM_WAKEUP', 'write', { domain, flags: uint }, {}),
  domainCreateXmlWithFiles: procedure(
    309,
    'DOMAIN_CREATE_XML_WITH_FILES',
    'write',
    { xml: string, flags: uint },
    { domain },
    { descriptors: 'call' },
  ),
  domainCreateWithFiles: procedure(
    310,
    'DOMAIN_CREATE_WITH_FILES',
    'write',
    { domain, flags: uint },
    { domain },
    { descriptors: 'call' },
  ),
}
