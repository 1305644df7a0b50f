import { limits } from '../limits.js'
import { procedure } from '../procedure.js'
import { hostInterface } from '../values/index.js'
import { array, bool, int, string, uint } from '../xdr/index.js'

/** Network interfaces of the host. */
export const hostInterfaceProcedures = {
  connectNumOfInterfaces: procedure(126, 'CONNECT_NUM_OF_INTERFACES', 'read', {}, { count: int }),
  connectListInterfaces: procedure(
    127,
    'CONNECT_LIST_INTERFACES',
    'read',
    { max: int },
    { names: array(string, limits.objects) },
  ),
  interfaceLookupByName: procedure(
    128,
    'INTERFACE_LOOKUP_BY_NAME',
    'read',
    { name: string },
    { networkInterface: hostInterface },
  ),
  interfaceLookupByMacString: procedure(
    129,
    'INTERFACE_LOOKUP_BY_MAC_STRING',
    'read',
    { mac: string },
    { networkInterface: hostInterface },
  ),
  interfaceGetXmlDesc: procedure(
    130,
    'INTERFACE_GET_XML_DESC',
    'read',
    { networkInterface: hostInterface, flags: uint },
    { xml: string },
  ),
  interfaceDefineXml: procedure(
    131,
    'INTERFACE_DEFINE_XML',
    'write',
    { xml: string, flags: uint },
    { networkInterface: hostInterface },
  ),
  interfaceUndefine: procedure(132, 'INTERFACE_UNDEFINE', 'write', { networkInterface: hostInterface }, {}),
  interfaceCreate: procedure(
    133,
    'INTERFACE_CREATE',
    'write',
    { networkInterface: hostInterface, flags: uint },
    {},
  ),
  interfaceDestroy: procedure(
    134,
    'INTERFACE_DESTROY',
    'write',
    { networkInterface: hostInterface, flags: uint },
    {},
  ),
  connectNumOfDefinedInterfaces: procedure(
    137,
    'CONNECT_NUM_OF_DEFINED_INTERFACES',
    'read',
    {},
    { count: int },
  ),
  connectListDefinedInterfaces: procedure(
    138,
    'CONNECT_LIST_DEFINED_INTERFACES',
    'read',
    { max: int },
    { names: array(string, limits.objects) },
  ),
  interfaceIsActive: procedure(
    156,
    'INTERFACE_IS_ACTIVE',
    'read',
    { networkInterface: hostInterface },
    { active: bool },
  ),
  interfaceChangeBegin: procedure(220, 'INTERFACE_CHANGE_BEGIN', 'write', { flags: uint }, {}),
  interfaceChangeCommit: procedure(221, 'INTERFACE_CHANGE_COMMIT', 'write', { flags: uint }, {}),
  interfaceChangeRollback: procedure(222, 'INTERFACE_CHANGE_ROLLBACK', 'write', { flags: uint }, {}),
  connectListAllInterfaces: procedure(
    284,
    'CONNECT_LIST_ALL_INTERFACES',
    'read',
    { needResults: bool, flags: uint },
    { interfaces: array(hostInterface, limits.objects), count: uint },
  ),
}
