import { limits } from '../limits.js'
import { procedure } from '../procedure.js'
import { domain, uuid } from '../values/index.js'
import { array, bool, int, string, uint } from '../xdr/index.js'

/** Which domains there are. */
export const domainLookupProcedures = {
  connectListDefinedDomains: procedure(
    21,
    'CONNECT_LIST_DEFINED_DOMAINS',
    'read',
    { max: int },
    { names: array(string, limits.objects) },
  ),
  domainLookupById: procedure(22, 'DOMAIN_LOOKUP_BY_ID', 'read', { id: int }, { domain }),
  domainLookupByName: procedure(23, 'DOMAIN_LOOKUP_BY_NAME', 'read', { name: string }, { domain }),
  domainLookupByUuid: procedure(24, 'DOMAIN_LOOKUP_BY_UUID', 'read', { uuid }, { domain }),
  connectNumOfDefinedDomains: procedure(25, 'CONNECT_NUM_OF_DEFINED_DOMAINS', 'read', {}, { count: int }),
  connectListDomains: procedure(
    37,
    'CONNECT_LIST_DOMAINS',
    'read',
    { max: int },
    { ids: array(int, limits.objects) },
  ),
  connectNumOfDomains: procedure(51, 'CONNECT_NUM_OF_DOMAINS', 'read', {}, { count: int }),
  connectListAllDomains: procedure(
    273,
    'CONNECT_LIST_ALL_DOMAINS',
    'read',
    { needResults: bool, flags: uint },
    { domains: array(domain, limits.objects), count: uint },
  ),
}
