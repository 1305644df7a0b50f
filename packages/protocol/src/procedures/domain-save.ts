import { limits } from '../limits.js'
import { procedure } from '../procedure.js'
import { domain, typedParameters } from '../values/index.js'
import { int, optional, string, uint } from '../xdr/index.js'

/** Guests put to disk and taken up again. */
export const domainSaveProcedures = {
  domainCoreDump: procedure(53, 'DOMAIN_CORE_DUMP', 'write', { domain, path: string, flags: uint }, {}),
  domainRestore: procedure(54, 'DOMAIN_RESTORE', 'write', { path: string }, {}),
  domainSave: procedure(55, 'DOMAIN_SAVE', 'write', { domain, path: string }, {}),
  domainManagedSave: procedure(182, 'DOMAIN_MANAGED_SAVE', 'write', { domain, flags: uint }, {}),
  domainHasManagedSaveImage: procedure(
    183,
    'DOMAIN_HAS_MANAGED_SAVE_IMAGE',
    'read',
    { domain, flags: uint },
    { result: int },
  ),
  domainManagedSaveRemove: procedure(184, 'DOMAIN_MANAGED_SAVE_REMOVE', 'write', { domain, flags: uint }, {}),
  domainSaveFlags: procedure(
    232,
    'DOMAIN_SAVE_FLAGS',
    'write',
    { domain, path: string, xml: optional(string), flags: uint },
    {},
  ),
  domainRestoreFlags: procedure(
    233,
    'DOMAIN_RESTORE_FLAGS',
    'write',
    { path: string, xml: optional(string), flags: uint },
    {},
  ),
  domainSaveImageGetXmlDesc: procedure(
    235,
    'DOMAIN_SAVE_IMAGE_GET_XML_DESC',
    'write',
    { file: string, flags: uint },
    { xml: string },
  ),
  domainSaveImageDefineXml: procedure(
    236,
    'DOMAIN_SAVE_IMAGE_DEFINE_XML',
    'write',
    { file: string, xml: string, flags: uint },
    {},
  ),
  domainCoreDumpWithFormat: procedure(
    334,
    'DOMAIN_CORE_DUMP_WITH_FORMAT',
    'write',
    { domain, path: string, format: uint, flags: uint },
    {},
  ),
  domainManagedSaveGetXmlDesc: procedure(
    388,
    'DOMAIN_MANAGED_SAVE_GET_XML_DESC',
    'read',
    { domain, flags: uint },
    { xml: string },
  ),
  domainManagedSaveDefineXml: procedure(
    389,
    'DOMAIN_MANAGED_SAVE_DEFINE_XML',
    'write',
    { domain, xml: optional(string), flags: uint },
    {},
  ),
  domainSaveParams: procedure(
    440,
    'DOMAIN_SAVE_PARAMS',
    'write',
    { domain, parameters: typedParameters(limits.manyParameters), flags: uint },
    {},
  ),
  domainRestoreParams: procedure(
    441,
    'DOMAIN_RESTORE_PARAMS',
    'write',
    { parameters: typedParameters(limits.manyParameters), flags: uint },
    {},
  ),
}
