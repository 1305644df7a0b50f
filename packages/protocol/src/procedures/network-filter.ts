import { limits } from '../limits.js'
import { procedure } from '../procedure.js'
import { networkFilter, networkFilterBinding, uuid } from '../values/index.js'
import { array, bool, int, string, uint } from '../xdr/index.js'

/** Rule sets for network traffic. */
export const networkFilterProcedures = {
  nwfilterLookupByName: procedure(
    175,
    'NWFILTER_LOOKUP_BY_NAME',
    'read',
    { name: string },
    { filter: networkFilter },
  ),
  nwfilterLookupByUuid: procedure(
    176,
    'NWFILTER_LOOKUP_BY_UUID',
    'read',
    { uuid },
    { filter: networkFilter },
  ),
  nwfilterGetXmlDesc: procedure(
    177,
    'NWFILTER_GET_XML_DESC',
    'read',
    { filter: networkFilter, flags: uint },
    { xml: string },
  ),
  connectNumOfNwfilters: procedure(178, 'CONNECT_NUM_OF_NWFILTERS', 'read', {}, { count: int }),
  connectListNwfilters: procedure(
    179,
    'CONNECT_LIST_NWFILTERS',
    'read',
    { max: int },
    { names: array(string, limits.objects) },
  ),
  nwfilterDefineXml: procedure(
    180,
    'NWFILTER_DEFINE_XML',
    'write',
    { xml: string },
    { filter: networkFilter },
  ),
  nwfilterUndefine: procedure(181, 'NWFILTER_UNDEFINE', 'write', { filter: networkFilter }, {}),
  connectListAllNwfilters: procedure(
    286,
    'CONNECT_LIST_ALL_NWFILTERS',
    'read',
    { needResults: bool, flags: uint },
    { filters: array(networkFilter, limits.objects), count: uint },
  ),
  nwfilterBindingLookupByPortDev: procedure(
    397,
    'NWFILTER_BINDING_LOOKUP_BY_PORT_DEV',
    'read',
    { name: string },
    { filter: networkFilterBinding },
  ),
  nwfilterBindingGetXmlDesc: procedure(
    398,
    'NWFILTER_BINDING_GET_XML_DESC',
    'read',
    { filter: networkFilterBinding, flags: uint },
    { xml: string },
  ),
  nwfilterBindingCreateXml: procedure(
    399,
    'NWFILTER_BINDING_CREATE_XML',
    'write',
    { xml: string, flags: uint },
    { filter: networkFilterBinding },
  ),
  nwfilterBindingDelete: procedure(
    400,
    'NWFILTER_BINDING_DELETE',
    'write',
    { filter: networkFilterBinding },
    {},
  ),
  connectListAllNwfilterBindings: procedure(
    401,
    'CONNECT_LIST_ALL_NWFILTER_BINDINGS',
    'read',
    { needResults: bool, flags: uint },
    { bindings: array(networkFilterBinding, limits.objects), count: uint },
  ),
  nwfilterDefineXmlFlags: procedure(
    431,
    'NWFILTER_DEFINE_XML_FLAGS',
    'write',
    { xml: string, flags: uint },
    { filter: networkFilter },
  ),
}
