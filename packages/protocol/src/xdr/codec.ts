import { XdrReader } from './xdr-reader.js'
import { XdrWriter } from './xdr-writer.js'

/** How values of one kind are written to the wire and read from it. Codecs are made of codecs. */
export interface Codec<T> {
  /** What a value takes at least: counts are checked against it before anything is allocated. */
  readonly minBytes: number
  encode(writer: XdrWriter, value: T): void
  /** Throws nothing but `RPC`, whatever is read. */
  decode(reader: XdrReader): T
}

/** The values of a codec. */
export type ValueOf<C> = C extends Codec<infer T> ? T : never

/** `value` as bytes. */
export function encodeValue<T>(codec: Codec<T>, value: T): Buffer {
  const writer = new XdrWriter()
  codec.encode(writer, value)
  return writer.finish()
}

/** The value that `bytes` begin with; what follows it is not looked at, as with libvirt. */
export function decodeValue<T>(codec: Codec<T>, bytes: Buffer): T {
  return codec.decode(new XdrReader(bytes))
}
