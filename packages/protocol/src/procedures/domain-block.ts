import { limits } from '../limits.js'
import { procedure } from '../procedure.js'
import { domain, typedParameters } from '../values/index.js'
import { array, bool, int, optional, string, struct, uhyper, uint } from '../xdr/index.js'

const diskError = struct({ disk: string, error: int })

/** Jobs on the disks of a guest. */
export const domainBlockProcedures = {
  domainBlockJobAbort: procedure(
    237,
    'DOMAIN_BLOCK_JOB_ABORT',
    'write',
    { domain, path: string, flags: uint },
    {},
  ),
  domainGetBlockJobInfo: procedure(
    238,
    'DOMAIN_GET_BLOCK_JOB_INFO',
    'read',
    { domain, path: string, flags: uint },
    { found: bool, type: int, bandwidth: uhyper, current: uhyper, end: uhyper },
  ),
  domainBlockJobSetSpeed: procedure(
    239,
    'DOMAIN_BLOCK_JOB_SET_SPEED',
    'write',
    { domain, path: string, bandwidth: uhyper, flags: uint },
    {},
  ),
  domainBlockPull: procedure(
    240,
    'DOMAIN_BLOCK_PULL',
    'write',
    { domain, path: string, bandwidth: uhyper, flags: uint },
    {},
  ),
  domainBlockResize: procedure(
    251,
    'DOMAIN_BLOCK_RESIZE',
    'write',
    { domain, disk: string, size: uhyper, flags: uint },
    {},
  ),
  domainGetDiskErrors: procedure(
    263,
    'DOMAIN_GET_DISK_ERRORS',
    'read',
    { domain, max: uint, flags: uint },
    { errors: array(diskError, limits.diskErrors), count: int },
  ),
  domainBlockRebase: procedure(
    266,
    'DOMAIN_BLOCK_REBASE',
    'write',
    { domain, path: string, base: optional(string), bandwidth: uhyper, flags: uint },
    {},
  ),
  domainBlockCommit: procedure(
    290,
    'DOMAIN_BLOCK_COMMIT',
    'write',
    { domain, disk: string, base: optional(string), top: optional(string), bandwidth: uhyper, flags: uint },
    {},
  ),
  domainBlockCopy: procedure(
    345,
    'DOMAIN_BLOCK_COPY',
    'write',
    { domain, path: string, destxml: string, parameters: typedParameters(limits.parameters), flags: uint },
    {},
  ),
  domainSetBlockThreshold: procedure(
    386,
    'DOMAIN_SET_BLOCK_THRESHOLD',
    'write',
    { domain, device: string, threshold: uhyper, flags: uint },
    {},
  ),
}
