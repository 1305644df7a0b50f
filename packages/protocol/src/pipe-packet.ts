import { type Codec, malformed, opaque, struct, uint, type XdrReader, type XdrWriter } from './xdr/index.js'

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

/** The bodies by kind; the position is the number that stands before each. */
const bodies = {
  data: struct({ data: opaque(maxDataBytes) }),
  hold: nothing,
  flow: nothing,
  resize: struct({ columns: uint, rows: uint }),
} as const

const kinds = Object.keys(bodies) as readonly PipePacket['kind'][]

/** One packet of a stream of covirt's own. */
export const pipePacket: Codec<PipePacket> = {
  minBytes: 4,
  encode: (writer: XdrWriter, packet: PipePacket) => {
    writer.uint32(kinds.indexOf(packet.kind))
    const codec: Codec<unknown> = bodies[packet.kind]
    codec.encode(writer, packet)
  },
  decode: (reader: XdrReader) => {
    const number = reader.uint32()
    const kind = kinds[number]
    if (kind === undefined) throw malformed(`${number} is not a kind of packet of a stream`)
    return { kind, ...bodies[kind].decode(reader) } as PipePacket
  },
}
