import { VirError } from '@covirt/core'

/** The name of the mechanism: RFC 7677. */
export const scramMechanism = 'SCRAM-SHA-256'

/**
 * The values of a message's attributes, which have to be those of `keys`, in this order; extensions may follow
 * (RFC 5802, 5.1). `AUTH_FAILED` otherwise.
 */
export function attributesOf<const K extends readonly string[]>(
  message: string,
  keys: K,
): { readonly [I in keyof K]: string } {
  const parts = message.split(',')
  return keys.map((key, index) => {
    const part = parts[index]
    if (!part?.startsWith(`${key}=`)) throw malformed(`'${key}=' is missing`)
    return part.slice(2)
  }) as unknown as { readonly [I in keyof K]: string }
}

/** A name as a message carries it: it may hold neither `,` nor `=`. */
export function escapedName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C')
}

/** What {@link escapedName} has made of a name. `AUTH_FAILED` where it cannot have. */
export function unescapedName(text: string): string {
  if (/=(?!2C|3D)/.test(text)) throw malformed('a name is not written as it has to be')
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

/** Bytes in base64, in its one form. `AUTH_FAILED` otherwise. */
export function bytesOf(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (text === '' || bytes.toString('base64') !== text) throw malformed('something is not base64')
  return bytes
}

export function malformed(why: string): VirError {
  return new VirError('AUTH_FAILED', `A message of ${scramMechanism} makes no sense: ${why}`, {
    domain: 'AUTH',
  })
}
