import { limits } from '../limits.js'
import { procedure } from '../procedure.js'
import { secret, uuid } from '../values/index.js'
import { array, bool, int, opaque, optional, string, uint } from '../xdr/index.js'

/** Secrets. */
export const secretProcedures = {
  connectNumOfSecrets: procedure(139, 'CONNECT_NUM_OF_SECRETS', 'read', {}, { count: int }),
  connectListSecrets: procedure(
    140,
    'CONNECT_LIST_SECRETS',
    'read',
    { max: int },
    { uuids: array(string, limits.objects) },
  ),
  secretLookupByUuid: procedure(141, 'SECRET_LOOKUP_BY_UUID', 'read', { uuid }, { secret }),
  secretDefineXml: procedure(142, 'SECRET_DEFINE_XML', 'write', { xml: string, flags: uint }, { secret }),
  secretGetXmlDesc: procedure(143, 'SECRET_GET_XML_DESC', 'read', { secret, flags: uint }, { xml: string }),
  secretSetValue: procedure(
    144,
    'SECRET_SET_VALUE',
    'write',
    { secret, value: opaque(limits.secretBytes), flags: uint },
    {},
  ),
  secretGetValue: procedure(
    145,
    'SECRET_GET_VALUE',
    'write',
    { secret, flags: uint },
    { value: opaque(limits.secretBytes) },
  ),
  secretUndefine: procedure(146, 'SECRET_UNDEFINE', 'write', { secret }, {}),
  secretLookupByUsage: procedure(
    147,
    'SECRET_LOOKUP_BY_USAGE',
    'read',
    { usageType: int, usageId: string },
    { secret },
  ),
  connectListAllSecrets: procedure(
    287,
    'CONNECT_LIST_ALL_SECRETS',
    'read',
    { needResults: bool, flags: uint },
    { secrets: array(secret, limits.objects), count: uint },
  ),
  connectSecretEventRegisterAny: procedure(
    380,
    'CONNECT_SECRET_EVENT_REGISTER_ANY',
    'read',
    { eventId: int, secret: optional(secret) },
    { callbackId: int },
  ),
  connectSecretEventDeregisterAny: procedure(
    381,
    'CONNECT_SECRET_EVENT_DEREGISTER_ANY',
    'read',
    { callbackId: int },
    {},
  ),
}
