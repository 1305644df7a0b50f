/** Tags of DER (X.690) in a list of revoked certificates (RFC 5280, section 5.1). */
const tags = { integer: 0x02, utcTime: 0x17, generalizedTime: 0x18, sequence: 0x30 } as const

/** One value, and what comes after it. */
interface Value {
  readonly tag: number
  readonly content: Buffer
  readonly rest: Buffer
}

/**
 * The serial numbers, as `X509Certificate.serialNumber` has them, of all that the lists in a file of PEM or DER take back. For
 * those who are connected already: OpenSSL, which checks the lists' signatures, sees to it in handshakes alone. Empty where the
 * file is none of lists.
 */
export function revokedSerials(file: Buffer): ReadonlySet<string> {
  const blocks = [
    ...file.toString('latin1').matchAll(/-----BEGIN X509 CRL-----([^-]+)-----END X509 CRL-----/g),
  ]
  const lists = blocks.length > 0 ? blocks.map(([, text = '']) => Buffer.from(text, 'base64')) : [file]
  return new Set(lists.flatMap(serialsIn))
}

function serialsIn(list: Buffer): readonly string[] {
  const [signed] = valuesIn(valueAt(list)?.content)
  const fields = valuesIn(signed?.content)
  // [version], signature, issuer, thisUpdate, [nextUpdate], [revokedCertificates], [extensions]: the last times come before it.
  const lastTime = fields.findLastIndex(({ tag }) => tag === tags.utcTime || tag === tags.generalizedTime)
  const revoked = fields[lastTime + 1]
  if (lastTime < 0 || revoked?.tag !== tags.sequence) return []
  return valuesIn(revoked.content).flatMap(({ content }) => {
    const serial = valueAt(content)
    return serial?.tag === tags.integer ? [serialOf(serial.content)] : []
  })
}

/** Without the zero that keeps a number from being negative. */
function serialOf(bytes: Buffer): string {
  return bytes
    .toString('hex')
    .replace(/^(00)+(?=.)/, '')
    .toUpperCase()
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
