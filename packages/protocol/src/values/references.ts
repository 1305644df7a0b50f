import type { DomainRef } from '@covirt/core'
import { type Codec, int, mapped, string, struct } from '../xdr/index.js'
import { uuid } from './uuid.js'

/** A domain; `id` is -1 on the wire while it is off. Look it up by its uuid: the rest may be stale. */
export const domain: Codec<DomainRef> = mapped(
  struct({ name: string, uuid, id: int }),
  ({ name, uuid, id }) => (id < 0 ? { uuid, name } : { uuid, name, id }),
  ({ name, uuid, id }) => ({ name, uuid, id: id ?? -1 }),
)

/** A virtual network. */
export const network = struct({ name: string, uuid })
/** A port of a virtual network. */
export const networkPort = struct({ net: network, uuid })
/** A rule set for network traffic. */
export const networkFilter = struct({ name: string, uuid })
/** A rule set at work on a port. */
export const networkFilterBinding = struct({ portDevice: string, filterName: string })
/** A network interface of the host. */
export const hostInterface = struct({ name: string, mac: string })
/** A place where volumes are. */
export const storagePool = struct({ name: string, uuid })
/** A disk image or the like. */
export const storageVolume = struct({ pool: string, name: string, key: string })
/** A device of the host. */
export const nodeDevice = struct({ name: string })
/** A secret, by uuid and by what it is used for. */
export const secret = struct({ uuid, usageType: int, usageId: string })
/** A snapshot of a domain. */
export const snapshot = struct({ name: string, domain })
/** A checkpoint of a domain's disks. */
export const checkpoint = struct({ name: string, domain })
