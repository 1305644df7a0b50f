import { limits } from '../limits.js'
import { procedure } from '../procedure.js'
import { checkpoint, domain } from '../values/index.js'
import { array, bool, int, optional, string, uint } from '../xdr/index.js'

/** Checkpoints and backups of disks. */
export const domainCheckpointProcedures = {
  domainCheckpointCreateXml: procedure(
    411,
    'DOMAIN_CHECKPOINT_CREATE_XML',
    'write',
    { domain, xml: string, flags: uint },
    { checkpoint },
  ),
  domainCheckpointGetXmlDesc: procedure(
    412,
    'DOMAIN_CHECKPOINT_GET_XML_DESC',
    'read',
    { checkpoint, flags: uint },
    { xml: string },
  ),
  domainListAllCheckpoints: procedure(
    413,
    'DOMAIN_LIST_ALL_CHECKPOINTS',
    'read',
    { domain, needResults: bool, flags: uint },
    { checkpoints: array(checkpoint, limits.objects), count: int },
  ),
  domainCheckpointListAllChildren: procedure(
    414,
    'DOMAIN_CHECKPOINT_LIST_ALL_CHILDREN',
    'read',
    { checkpoint, needResults: bool, flags: uint },
    { checkpoints: array(checkpoint, limits.objects), count: int },
  ),
  domainCheckpointLookupByName: procedure(
    415,
    'DOMAIN_CHECKPOINT_LOOKUP_BY_NAME',
    'read',
    { domain, name: string, flags: uint },
    { checkpoint },
  ),
  domainCheckpointGetParent: procedure(
    416,
    'DOMAIN_CHECKPOINT_GET_PARENT',
    'read',
    { checkpoint, flags: uint },
    { parent: checkpoint },
  ),
  domainCheckpointDelete: procedure(
    417,
    'DOMAIN_CHECKPOINT_DELETE',
    'write',
    { checkpoint, flags: uint },
    {},
  ),
  domainBackupBegin: procedure(
    421,
    'DOMAIN_BACKUP_BEGIN',
    'write',
    { domain, backupXml: string, checkpointXml: optional(string), flags: uint },
    {},
  ),
  domainBackupGetXmlDesc: procedure(
    422,
    'DOMAIN_BACKUP_GET_XML_DESC',
    'read',
    { domain, flags: uint },
    { xml: string },
  ),
}
