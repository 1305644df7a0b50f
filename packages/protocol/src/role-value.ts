import { VirError } from '@covirt/core'

/** Marks what JSON has no form for. */
const mark = '$covirt'

/** More than any counter has. */
const maxDigits = 100

/**
 * An argument or a result of a role's method as text: JSON, with integers of any size and bytes besides.
 * `undefined` stands for itself at the top, and is left out of objects.
 */
export function encodeRoleValue(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, each: unknown) => {
    if (typeof each === 'bigint') return { [mark]: 'bigint', value: `${each}` }
    if (isMarkedBytes(each)) return { [mark]: 'bytes', value: Buffer.from(each.data).toString('base64') }
    if (each instanceof Uint8Array) return { [mark]: 'bytes', value: Buffer.from(each).toString('base64') }
    return each
  })
}

/** The value that {@link encodeRoleValue} has made into `text`. `RPC` where it is no such text. */
export function decodeRoleValue(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text, (_key, each: unknown) => {
      if (typeof each !== 'object' || each === null || !(mark in each)) return each
      const { [mark]: kind, value } = each as Readonly<Record<string, unknown>>
      if (kind === 'bigint') return integerOf(String(value))
      return Buffer.from(String(value), 'base64')
    })
  } catch (cause) {
    throw new VirError('RPC', 'An argument of a role is no text that can be read', { domain: 'RPC', cause })
  }
}

/** Bounded, as reading digits takes ever longer the more of them there are. */
function integerOf(digits: string): bigint {
  if (digits.length > maxDigits) throw new RangeError(`An integer has ${digits.length} digits`)
  return BigInt(digits)
}

/** A `Buffer` has been made into this by its own `toJSON` before it is seen. */
function isMarkedBytes(value: unknown): value is { readonly data: readonly number[] } {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as Readonly<Record<string, unknown>>).type === 'Buffer' &&
    Array.isArray((value as Readonly<Record<string, unknown>>).data)
  )
}
