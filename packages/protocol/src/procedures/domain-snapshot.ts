import { limits } from '../limits.js'
import { procedure } from '../procedure.js'
import { domain, snapshot } from '../values/index.js'
import { array, bool, int, string, uint } from '../xdr/index.js'

/** Snapshots of domains. */
export const domainSnapshotProcedures = {
  domainSnapshotCreateXml: procedure(
    185,
    'DOMAIN_SNAPSHOT_CREATE_XML',
    'write',
    { domain, xml: string, flags: uint },
    { snapshot },
  ),
  domainSnapshotGetXmlDesc: procedure(
    186,
    'DOMAIN_SNAPSHOT_GET_XML_DESC',
    'read',
    { snapshot, flags: uint },
    { xml: string },
  ),
  domainSnapshotNum: procedure(187, 'DOMAIN_SNAPSHOT_NUM', 'read', { domain, flags: uint }, { count: int }),
  domainSnapshotListNames: procedure(
    188,
    'DOMAIN_SNAPSHOT_LIST_NAMES',
    'read',
    { domain, max: int, flags: uint },
    { names: array(string, limits.objects) },
  ),
  domainSnapshotLookupByName: procedure(
    189,
    'DOMAIN_SNAPSHOT_LOOKUP_BY_NAME',
    'read',
    { domain, name: string, flags: uint },
    { snapshot },
  ),
  domainHasCurrentSnapshot: procedure(
    190,
    'DOMAIN_HAS_CURRENT_SNAPSHOT',
    'read',
    { domain, flags: uint },
    { result: int },
  ),
  domainSnapshotCurrent: procedure(
    191,
    'DOMAIN_SNAPSHOT_CURRENT',
    'read',
    { domain, flags: uint },
    { snapshot },
  ),
  domainRevertToSnapshot: procedure(192, 'DOMAIN_REVERT_TO_SNAPSHOT', 'write', { snapshot, flags: uint }, {}),
  domainSnapshotDelete: procedure(193, 'DOMAIN_SNAPSHOT_DELETE', 'write', { snapshot, flags: uint }, {}),
  domainSnapshotGetParent: procedure(
    244,
    'DOMAIN_SNAPSHOT_GET_PARENT',
    'read',
    { snapshot, flags: uint },
    { snapshot },
  ),
  domainSnapshotNumChildren: procedure(
    246,
    'DOMAIN_SNAPSHOT_NUM_CHILDREN',
    'read',
    { snapshot, flags: uint },
    { count: int },
  ),
  domainSnapshotListChildrenNames: procedure(
    247,
    'DOMAIN_SNAPSHOT_LIST_CHILDREN_NAMES',
    'read',
    { snapshot, max: int, flags: uint },
    { names: array(string, limits.objects) },
  ),
  domainSnapshotIsCurrent: procedure(
    271,
    'DOMAIN_SNAPSHOT_IS_CURRENT',
    'read',
    { snapshot, flags: uint },
    { current: bool },
  ),
  domainSnapshotHasMetadata: procedure(
    272,
    'DOMAIN_SNAPSHOT_HAS_METADATA',
    'read',
    { snapshot, flags: uint },
    { metadata: bool },
  ),
  domainListAllSnapshots: procedure(
    274,
    'DOMAIN_LIST_ALL_SNAPSHOTS',
    'read',
    { domain, needResults: bool, flags: uint },
    { snapshots: array(snapshot, limits.objects), count: int },
  ),
  domainSnapshotListAllChildren: procedure(
    275,
    'DOMAIN_SNAPSHOT_LIST_ALL_CHILDREN',
    'read',
    { snapshot, needResults: bool, flags: uint },
    { snapshots: array(snapshot, limits.objects), count: int },
  ),
}
