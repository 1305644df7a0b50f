import { type Codec, malformed, tooLong } from '../xdr/index.js'

/** A text in `length` characters of four bytes each, filled up with zeros, the last of them always one. */
export function fixedCharacters(length: number): Codec<string> {
  return {
    minBytes: length * 4,
    encode: (writer, value) => {
      const bytes = Buffer.from(value).subarray(0, length - 1)
      for (let index = 0; index < length; index++) writer.int32(bytes[index] ?? 0)
    },
    decode: (reader) => {
      const bytes = Buffer.allocUnsafe(length)
      for (let index = 0; index < length; index++) bytes[index] = reader.int32()
      const end = bytes.indexOf(0)
      return bytes.toString('utf8', 0, end < 0 ? length : end)
    },
  }
}

/** A count, then as many characters of four bytes each. libvirt sends the closing zero with them. */
export function characters(max: number): Codec<Uint8Array> {
  return {
    minBytes: 4,
    encode: (writer, value) => {
      if (value.length > max) throw tooLong(value.length, max)
      writer.uint32(value.length)
      for (const byte of value) writer.int32((byte << 24) >> 24)
    },
    decode: (reader) => {
      const count = reader.count(max, 4)
      const bytes = Buffer.allocUnsafe(count)
      for (let index = 0; index < count; index++) {
        const value = reader.int32()
        if (value < -128 || value > 255) throw malformed(`${value} is not a character`)
        bytes[index] = value
      }
      return bytes
    },
  }
}
