import { procedure } from '../procedure.js'
import { domain } from '../values/index.js'
import { bool, int, optional, string, uint } from '../xdr/index.js'

/** Definitions of domains, and the flags and texts that belong to them. */
export const domainDefinitionProcedures = {
  domainDefineXml: procedure(11, 'DOMAIN_DEFINE_XML', 'write', { xml: string }, { domain }),
  domainGetXmlDesc: procedure(14, 'DOMAIN_GET_XML_DESC', 'read', { domain, flags: uint }, { xml: string }),
  domainGetAutostart: procedure(15, 'DOMAIN_GET_AUTOSTART', 'read', { domain }, { autostart: bool }),
  domainGetOsType: procedure(19, 'DOMAIN_GET_OS_TYPE', 'read', { domain }, { type: string }),
  domainSetAutostart: procedure(29, 'DOMAIN_SET_AUTOSTART', 'write', { domain, autostart: bool }, {}),
  domainUndefine: procedure(35, 'DOMAIN_UNDEFINE', 'write', { domain }, {}),
  domainIsActive: procedure(150, 'DOMAIN_IS_ACTIVE', 'read', { domain }, { active: bool }),
  domainIsPersistent: procedure(151, 'DOMAIN_IS_PERSISTENT', 'read', { domain }, { persistent: bool }),
  domainIsUpdated: procedure(202, 'DOMAIN_IS_UPDATED', 'read', { domain }, { updated: bool }),
  domainUndefineFlags: procedure(231, 'DOMAIN_UNDEFINE_FLAGS', 'write', { domain, flags: uint }, {}),
  domainSetMetadata: procedure(
    264,
    'DOMAIN_SET_METADATA',
    'write',
    {
      domain,
      type: int,
      metadata: optional(string),
      key: optional(string),
      uri: optional(string),
      flags: uint,
    },
    {},
  ),
  domainGetMetadata: procedure(
    265,
    'DOMAIN_GET_METADATA',
    'read',
    { domain, type: int, uri: optional(string), flags: uint },
    { metadata: string },
  ),
  domainDefineXmlFlags: procedure(
    350,
    'DOMAIN_DEFINE_XML_FLAGS',
    'write',
    { xml: string, flags: uint },
    { domain },
  ),
  domainRename: procedure(
    358,
    'DOMAIN_RENAME',
    'write',
    { domain, newName: optional(string), flags: uint },
    { result: int },
  ),
  domainSetLifecycleAction: procedure(
    390,
    'DOMAIN_SET_LIFECYCLE_ACTION',
    'write',
    { domain, type: uint, action: uint, flags: uint },
    {},
  ),
}
