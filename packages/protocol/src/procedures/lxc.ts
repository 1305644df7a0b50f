import { lxcProgram, proceduresOf } from '../procedure.js'
import { domain } from '../values/index.js'
import { uint } from '../xdr/index.js'

const procedure = proceduresOf(lxcProgram)

/** What libvirt offers for LXC alone. */
export const lxcProcedures = {
  lxcOpenNamespace: procedure(
    1,
    'DOMAIN_OPEN_NAMESPACE',
    'write',
    { domain, flags: uint },
    {},
    { descriptors: 'reply' },
  ),
}
