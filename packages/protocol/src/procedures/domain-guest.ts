import { limits } from '../limits.js'
import { procedure } from '../procedure.js'
import { domain, typedParameters } from '../values/index.js'
import { array, hyper, int, optional, string, struct, uhyper, uint } from '../xdr/index.js'

const fileSystem = struct({
  mountPoint: string,
  name: string,
  type: string,
  aliases: array(string, limits.mountPoints),
})

const address = struct({ type: int, address: string, prefix: uint })

const guestInterface = struct({
  name: string,
  mac: optional(string),
  addresses: array(address, limits.guestItems),
})

/** What the system inside a guest tells and does. */
export const domainGuestProcedures = {
  domainGetHostname: procedure(
    277,
    'DOMAIN_GET_HOSTNAME',
    'write',
    { domain, flags: uint },
    { hostname: string },
  ),
  domainFstrim: procedure(
    294,
    'DOMAIN_FSTRIM',
    'write',
    { domain, mountPoint: optional(string), minimum: uhyper, flags: uint },
    {},
  ),
  domainSendProcessSignal: procedure(
    295,
    'DOMAIN_SEND_PROCESS_SIGNAL',
    'write',
    { domain, pid: hyper, signal: uint, flags: uint },
    {},
  ),
  domainFsfreeze: procedure(
    335,
    'DOMAIN_FSFREEZE',
    'write',
    { domain, mountPoints: array(string, limits.mountPoints), flags: uint },
    { filesystems: int },
  ),
  domainFsthaw: procedure(
    336,
    'DOMAIN_FSTHAW',
    'write',
    { domain, mountPoints: array(string, limits.mountPoints), flags: uint },
    { filesystems: int },
  ),
  domainGetTime: procedure(
    337,
    'DOMAIN_GET_TIME',
    'write',
    { domain, flags: uint },
    { seconds: hyper, nanoseconds: uint },
  ),
  domainSetTime: procedure(
    338,
    'DOMAIN_SET_TIME',
    'write',
    { domain, seconds: hyper, nanoseconds: uint, flags: uint },
    {},
  ),
  domainGetFsinfo: procedure(
    349,
    'DOMAIN_GET_FSINFO',
    'write',
    { domain, flags: uint },
    { items: array(fileSystem, limits.mountPoints), count: uint },
  ),
  domainInterfaceAddresses: procedure(
    353,
    'DOMAIN_INTERFACE_ADDRESSES',
    'read',
    { domain, source: uint, flags: uint },
    { interfaces: array(guestInterface, limits.guestItems) },
  ),
  domainSetUserPassword: procedure(
    357,
    'DOMAIN_SET_USER_PASSWORD',
    'write',
    { domain, user: optional(string), password: optional(string), flags: uint },
    {},
  ),
  domainGetGuestVcpus: procedure(
    371,
    'DOMAIN_GET_GUEST_VCPUS',
    'write',
    { domain, flags: uint },
    { parameters: typedParameters(limits.manyParameters) },
  ),
  domainSetGuestVcpus: procedure(
    372,
    'DOMAIN_SET_GUEST_VCPUS',
    'write',
    { domain, cpuMap: string, state: int, flags: uint },
    {},
  ),
  domainGetGuestInfo: procedure(
    418,
    'DOMAIN_GET_GUEST_INFO',
    'read',
    { domain, types: uint, flags: uint },
    { parameters: typedParameters(limits.guestItems) },
  ),
  domainAgentSetResponseTimeout: procedure(
    420,
    'DOMAIN_AGENT_SET_RESPONSE_TIMEOUT',
    'write',
    { domain, timeoutS: int, flags: uint },
    { result: int },
  ),
  domainAuthorizedSshKeysGet: procedure(
    424,
    'DOMAIN_AUTHORIZED_SSH_KEYS_GET',
    'write',
    { domain, user: string, flags: uint },
    { keys: array(string, limits.guestItems) },
  ),
  domainAuthorizedSshKeysSet: procedure(
    425,
    'DOMAIN_AUTHORIZED_SSH_KEYS_SET',
    'write',
    { domain, user: string, keys: array(string, limits.guestItems), flags: uint },
    {},
  ),
}
