import { packetCodec } from './packet-codec.js'
import { opaque, struct, uint } from './xdr/index.js'

const maxDataBytes = 262_144

/**
 * What one packet of a stream of covirt's own says. Such a stream can be slowed down by itself, which libvirt's cannot:
 * there, what waits for a reader holds up all else on the connection. Both ends send all but `resize`, which is the
 * client's.
 */
export type PipePacket =
  | { readonly kind: 'data'; readonly data: Uint8Array }
  /** What was sent waits to be taken: send no more until `flow`. */
  | { readonly kind: 'hold' }
  | { readonly kind: 'flow' }
  /** The terminal at the client's end has another size. */
  | { readonly kind: 'resize'; readonly columns: number; readonly rows: number }

const nothing = struct({})

/** One packet of a stream of covirt's own. */
export const pipePacket = packetCodec<PipePacket>('a stream', {
  data: struct({ data: opaque(maxDataBytes) }),
  hold: nothing,
  flow: nothing,
  resize: struct({ columns: uint, rows: uint }),
})
