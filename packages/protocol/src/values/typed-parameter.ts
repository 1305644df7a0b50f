import {
  array,
  type Codec,
  double,
  hyper,
  int,
  malformed,
  string,
  uhyper,
  uint,
  type XdrReader,
  type XdrWriter,
} from '../xdr/index.js'

/** A named value that carries its type (virTypedParameter). */
export type TypedParameter =
  | { readonly field: string; readonly type: 'int' | 'uint' | 'double'; readonly value: number }
  | { readonly field: string; readonly type: 'llong' | 'ullong'; readonly value: bigint }
  | { readonly field: string; readonly type: 'boolean'; readonly value: boolean }
  | { readonly field: string; readonly type: 'string'; readonly value: string }

/** The types in libvirt's order: the position, from 1, is the number. */
const types = ['int', 'uint', 'llong', 'ullong', 'double', 'boolean', 'string'] as const

const boolean: Codec<boolean> = {
  minBytes: 4,
  encode: (writer, value) => writer.int32(value ? 1 : 0),
  decode: (reader) => reader.int32() !== 0,
}

const values = { int, uint, llong: hyper, ullong: uhyper, double, boolean, string } as const

/** One typed parameter: its name, its type's number, its value. */
export const typedParameter: Codec<TypedParameter> = {
  minBytes: 12,
  encode: (writer: XdrWriter, { field, type, value }: TypedParameter) => {
    string.encode(writer, field)
    writer.int32(types.indexOf(type) + 1)
    const codec: Codec<unknown> = values[type]
    codec.encode(writer, value)
  },
  decode: (reader: XdrReader) => {
    const field = string.decode(reader)
    const number = reader.int32()
    const type = types[number - 1]
    if (type === undefined) throw malformed(`${number} is not a type of parameters`)
    return { field, type, value: values[type].decode(reader) } as TypedParameter
  },
}

/** At most `max` typed parameters. */
export function typedParameters(max: number): Codec<readonly TypedParameter[]> {
  return array(typedParameter, max)
}

/** The value of the parameter named `field`, whatever its type; `undefined` where there is none. */
export function parameterValue(
  parameters: readonly TypedParameter[],
  field: string,
): TypedParameter['value'] | undefined {
  return parameters.find((parameter) => parameter.field === field)?.value
}
