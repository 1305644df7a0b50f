import type { DomainRef } from '@covirt/core'
import { type Codec, int, string, struct } from '../xdr/index.js'
import { uuid } from './uuid.js'

/** A domain; `id` is -1 on the wire while it is off. Look it up by its uuid: the rest may be stale. */
export const domain: Codec<DomainRef> = {
  minBytes: string.minBytes + uuid.minBytes + int.minBytes,
  // By hand: lists hold thousands of them.
  encode: (writer, ref) => {
    string.encode(writer, ref.name)
    uuid.encode(writer, ref.uuid)
    int.encode(writer, ref.id ?? -1)
  },
  decode: (reader) => {
    const name = string.decode(reader)
    const ref = { uuid: uuid.decode(reader), name }
    const id = int.decode(reader)
    return id < 0 ? ref : { ...ref, id }
  },
}

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
