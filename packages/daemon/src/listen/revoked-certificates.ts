import type { X509Certificate } from 'node:crypto'

/** Tags of DER (X.690) in certificates and in lists of revoked ones (RFC 5280, sections 4.1 and 5.1). */
const tags = { version: 0xa0, integer: 0x02, utcTime: 0x17, generalizedTime: 0x18, sequence: 0x30 } as const

/** One value, and what comes after it. */
interface Value {
  readonly tag: number
  readonly content: Buffer
  readonly rest: Buffer
}

/**
 * All that the lists in a file of PEM or DER take back, as {@link certificateKey} has them. For those who are connected
 * already: OpenSSL, which checks the lists' signatures, sees to it in handshakes alone. Empty where the file is none of lists.
 */
export function revokedCertificates(file: Buffer): ReadonlySet<string> {
  const blocks = [
    ...file.toString('latin1').matchAll(/-----BEGIN X509 CRL-----([^-]+)-----END X509 CRL-----/g),
  ]
  const lists = blocks.length > 0 ? blocks.map(([, text = '']) => Buffer.from(text, 'base64')) : [file]
  return new Set(lists.flatMap(keysIn))
}

/** What no two certificates have in common: who issued it, and its number there. */
export function certificateKey({ raw }: Pick<X509Certificate, 'raw'>): string {
  const [signed] = valuesIn(valueAt(raw)?.content)
  const fields = valuesIn(signed?.content)
  // [version], serialNumber, signature, issuer
  const [serial, , issuer] = fields[0]?.tag === tags.version ? fields.slice(1) : fields
  return keyOf(issuer, serial)
}

function keysIn(list: Buffer): readonly string[] {
  const [signed] = valuesIn(valueAt(list)?.content)
  const fields = valuesIn(signed?.content)
  // [version], signature, issuer, thisUpdate, [nextUpdate], [revokedCertificates], [extensions]: it goes by the times.
  const isTime = ({ tag }: Value) => tag === tags.utcTime || tag === tags.generalizedTime
  const issuer = fields[fields.findIndex(isTime) - 1]
  const lastTime = fields.findLastIndex(isTime)
  const revoked = fields[lastTime + 1]
  if (lastTime < 0 || revoked?.tag !== tags.sequence) return []
  return valuesIn(revoked.content).flatMap(({ content }) => {
    const serial = valueAt(content)
    return serial?.tag === tags.integer ? [keyOf(issuer, serial)] : []
  })
}

function keyOf(issuer: Value | undefined, serial: Value | undefined): string {
  return [issuer, serial].map((value) => value?.content.toString('hex')).join(' ')
}

function valuesIn(bytes: Buffer | undefined): readonly Value[] {
  const found: Value[] = []
  for (let value = bytes && valueAt(bytes); value; value = valueAt(value.rest)) found.push(value)
  return found
}

/** `undefined` where there is no whole value. */
function valueAt(bytes: Buffer): Value | undefined {
  const [tag, first] = bytes
  if (tag === undefined || first === undefined) return undefined
  const extra = first < 0x80 ? 0 : first & 0x7f
  if (extra > 4 || bytes.length < 2 + extra) return undefined
  const start = 2 + extra
  const end = start + (extra === 0 ? first : bytes.readUIntBE(2, extra))
  if (end > bytes.length) return undefined
  return { tag, content: bytes.subarray(start, end), rest: bytes.subarray(end) }
}
