import { type Codec, malformed, type XdrReader, type XdrWriter } from './xdr/index.js'

/**
 * Packets of several kinds: the position of a kind in `bodies` is the number that stands before its body. `what` names them
 * where a number is none of a kind.
 */
export function packetCodec<P extends { readonly kind: string }>(
  what: string,
  bodies: Readonly<Record<P['kind'], Codec<unknown>>>,
): Codec<P> {
  const kinds = Object.keys(bodies) as P['kind'][]
  return {
    minBytes: 4,
    encode: (writer: XdrWriter, packet: P) => {
      const kind: P['kind'] = packet.kind
      writer.uint32(kinds.indexOf(kind))
      bodies[kind].encode(writer, packet)
    },
    decode: (reader: XdrReader) => {
      const number = reader.uint32()
      const kind = kinds[number]
      if (kind === undefined) throw malformed(`${number} is not a kind of packet of ${what}`)
      return { kind, ...(bodies[kind].decode(reader) as object) } as unknown as P
    },
  }
}
