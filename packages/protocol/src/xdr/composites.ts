import type { Codec, ValueOf } from './codec.js'
import { tooLong } from './xdr-writer.js'

/** The fields of a struct, in the order in which they travel. */
export type Fields = Readonly<Record<string, Codec<unknown>>>

type OptionalKeys<F extends Fields> = {
  [K in keyof F]: undefined extends ValueOf<F[K]> ? K : never
}[keyof F]

/** What a struct of fields `F` holds; a field that may be undefined may be absent as well. */
export type StructOf<F extends Fields> = {
  readonly [K in Exclude<keyof F, OptionalKeys<F>>]: ValueOf<F[K]>
} & { readonly [K in OptionalKeys<F>]?: ValueOf<F[K]> }

/** One value for each of `fields`, in their order. */
export function struct<F extends Fields>(fields: F): Codec<StructOf<F>> {
  const entries = Object.entries(fields)
  return {
    minBytes: entries.reduce((sum, [, codec]) => sum + codec.minBytes, 0),
    encode: (writer, value) => {
      for (const [name, codec] of entries)
        codec.encode(writer, (value as Readonly<Record<string, unknown>>)[name])
    },
    decode: (reader) => {
      const value: Record<string, unknown> = {}
      for (const [name, codec] of entries) value[name] = codec.decode(reader)
      return value as StructOf<F>
    },
  }
}

/** A count, then at most `max` items. A count that cannot be true is refused before anything is allocated. */
export function array<T>(item: Codec<T>, max: number): Codec<readonly T[]> {
  if (item.minBytes === 0) throw new TypeError('items that take no bytes cannot be counted')
  return {
    minBytes: 4,
    encode: (writer, value) => {
      if (value.length > max) throw tooLong(value.length, max)
      writer.uint32(value.length)
      for (const each of value) item.encode(writer, each)
    },
    decode: (reader) => {
      const count = reader.count(max, item.minBytes)
      const value: T[] = []
      for (let index = 0; index < count; index++) value.push(item.decode(reader))
      return value
    },
  }
}

/** Whether there is one, then the value. Anything but 0 means that there is, as go-libvirt needs it. */
export function optional<T>(inner: Codec<T>): Codec<T | undefined> {
  return {
    minBytes: 4,
    encode: (writer, value) => {
      writer.uint32(value === undefined ? 0 : 1)
      if (value !== undefined) inner.encode(writer, value)
    },
    decode: (reader) => (reader.uint32() === 0 ? undefined : inner.decode(reader)),
  }
}

/** Values of `T` that travel as `W`. `fromWire` throws nothing but `RPC`. */
export function mapped<W, T>(wire: Codec<W>, fromWire: (value: W) => T, toWire: (value: T) => W): Codec<T> {
  return {
    minBytes: wire.minBytes,
    encode: (writer, value) => wire.encode(writer, toWire(value)),
    decode: (reader) => fromWire(wire.decode(reader)),
  }
}
