import { limits } from '../limits.js'
import type { Codec } from './codec.js'
import { tooLong } from './xdr-writer.js'

/** 32 bits with a sign. */
export const int: Codec<number> = {
  minBytes: 4,
  encode: (writer, value) => writer.int32(value),
  decode: (reader) => reader.int32(),
}

/** 32 bits without a sign. Bytes and short integers travel in as much, too. */
export const uint: Codec<number> = {
  minBytes: 4,
  encode: (writer, value) => writer.uint32(value),
  decode: (reader) => reader.uint32(),
}

/** 32 bits: anything but 0 is true, because go-libvirt writes its ones in the wrong byte order. */
export const bool: Codec<boolean> = {
  minBytes: 4,
  encode: (writer, value) => writer.uint32(value ? 1 : 0),
  decode: (reader) => reader.uint32() !== 0,
}

/** 64 bits with a sign; aligned to four bytes only. */
export const hyper: Codec<bigint> = {
  minBytes: 8,
  encode: (writer, value) => writer.int64(value),
  decode: (reader) => reader.int64(),
}

/** 64 bits without a sign. */
export const uhyper: Codec<bigint> = {
  minBytes: 8,
  encode: (writer, value) => writer.uint64(value),
  decode: (reader) => reader.uint64(),
}

/** A floating-point number of 64 bits. */
export const double: Codec<number> = {
  minBytes: 8,
  encode: (writer, value) => writer.double(value),
  decode: (reader) => reader.double(),
}

/** A text in UTF-8 without zero bytes, of at most `maxBytes`. */
export function text(maxBytes: number): Codec<string> {
  return {
    minBytes: 4,
    encode: (writer, value) => writer.text(value, maxBytes),
    decode: (reader) => reader.text(maxBytes),
  }
}

/** A text as long as the protocol allows. */
export const string: Codec<string> = text(limits.stringBytes)

/** Any bytes, at most `maxBytes` of them. */
export function opaque(maxBytes: number): Codec<Uint8Array> {
  return {
    minBytes: 4,
    encode: (writer, value) => {
      if (value.length > maxBytes) throw tooLong(value.length, maxBytes)
      writer.uint32(value.length)
      writer.opaque(value)
    },
    decode: (reader) => Buffer.from(reader.opaque(reader.count(maxBytes, 1))),
  }
}

/** Exactly `bytes` bytes. */
export function fixedOpaque(bytes: number): Codec<Uint8Array> {
  return {
    minBytes: bytes,
    encode: (writer, value) => {
      if (value.length !== bytes) throw new TypeError(`${bytes} bytes are needed, not ${value.length}`)
      writer.opaque(value)
    },
    decode: (reader) => Buffer.from(reader.opaque(bytes)),
  }
}
