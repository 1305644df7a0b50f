import type { Codec } from '../xdr/index.js'

const bytes = 16

/** A uuid in RFC 4122 form and lower case, as 16 bytes without a length. */
export const uuid: Codec<string> = {
  minBytes: bytes,
  encode: (writer, value) => writer.hex(value, bytes),
  decode: (reader) => {
    const hex = reader.opaque(bytes).toString('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  },
}
