import { VirError } from '@covirt/core'

/** Up to how many characters a text is written one by one. */
const shortText = 64
const dash = 0x2d
/** What each digit stands for, by its character's number. */
const hexDigits: readonly (number | undefined)[] = Array.from({ length: 0x67 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16)
  return Number.isNaN(digit) ? undefined : digit
})

/** Writes XDR (RFC 4506): everything big-endian, in units of four bytes. It grows as it is written to. */
export class XdrWriter {
  #buffer: Buffer
  #length = 0

  constructor(sizeHint = 256) {
    this.#buffer = Buffer.allocUnsafe(sizeHint)
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.#length
  }

  /** `OVERFLOW` where `value` is no integer of 32 bits with a sign. */
  int32(value: number): void {
    if ((value | 0) !== value) throw overflow(value, 'an integer of 32 bits')
    const at = this.#take(4)
    this.#buffer.writeInt32BE(value, at)
  }

  /** `OVERFLOW` where `value` is no integer of 32 bits without a sign. */
  uint32(value: number): void {
    if (value >>> 0 !== value) throw overflow(value, 'an unsigned integer of 32 bits')
    const at = this.#take(4)
    this.#buffer.writeUInt32BE(value, at)
  }

  /** `OVERFLOW` where `value` is no integer of 64 bits with a sign. */
  int64(value: bigint): void {
    if (this.#safe64(value)) return
    if (BigInt.asIntN(64, value) !== value) throw overflow(value, 'an integer of 64 bits')
    const at = this.#take(8)
    this.#buffer.writeBigInt64BE(value, at)
  }

  /** `OVERFLOW` where `value` is no integer of 64 bits without a sign. */
  uint64(value: bigint): void {
    if (this.#safe64(value)) return
    if (BigInt.asUintN(64, value) !== value) throw overflow(value, 'an unsigned integer of 64 bits')
    const at = this.#take(8)
    this.#buffer.writeBigUInt64BE(value, at)
  }

  double(value: number): void {
    const at = this.#take(8)
    this.#buffer.writeDoubleBE(value, at)
  }

  /** The bytes as they are, filled up with zeros to a multiple of four. */
  opaque(bytes: Uint8Array): void {
    const at = this.#take(padded(bytes.length))
    this.#buffer.set(bytes, at)
    this.#buffer.fill(0, at + bytes.length, this.#length)
  }

  /** The length, then the text in UTF-8, filled up. `maxBytes` bounds the text. */
  text(value: string, maxBytes: number): void {
    if (value.length <= Math.min(shortText, maxBytes) && this.#shortText(value)) return
    const bytes = Buffer.byteLength(value)
    if (bytes > maxBytes) throw tooLong(bytes, maxBytes)
    if (value.includes('\0'))
      throw new VirError('INVALID_ARG', 'A text that is sent holds a zero byte', { domain: 'RPC' })
    this.uint32(bytes)
    const at = this.#take(padded(bytes))
    this.#buffer.write(value, at)
    this.#buffer.fill(0, at + bytes, this.#length)
  }

  /** The bytes that the digits in `text` stand for, of which there are `bytes`; dashes count as nothing. `INVALID_ARG` where they do not. */
  hex(text: string, bytes: number): void {
    const at = this.#take(bytes)
    const buffer = this.#buffer
    let digits = 0
    let byte = 0
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      if (code === dash) continue
      const digit = hexDigits[code]
      if (digit === undefined || digits === bytes * 2) throw noHex(text, bytes)
      byte = (byte << 4) | digit
      if (++digits % 2 === 0) buffer[at + digits / 2 - 1] = byte & 0xff
    }
    if (digits !== bytes * 2) throw noHex(text, bytes)
  }

  /** The bytes as they are, without filling up. */
  raw(bytes: Uint8Array): void {
    const at = this.#take(bytes.length)
    this.#buffer.set(bytes, at)
  }

  /** Puts `value` where four bytes have been written before. */
  patchUint32(at: number, value: number): void {
    this.#buffer.writeUInt32BE(value, at)
  }

  /** What has been written. The writer is not to be used any more. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  /** Writes text of plain ASCII, and nothing where it is none. Calls into the engine cost more than such a text does. */
  #shortText(value: string): boolean {
    const before = this.#length
    const { length } = value
    this.uint32(length)
    const at = this.#take(padded(length))
    const buffer = this.#buffer
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index)
      if (code === 0 || code > 0x7f) {
        this.#length = before
        return false
      }
      buffer[at + index] = code
    }
    for (let index = at + length; index < this.#length; index++) buffer[index] = 0
    return true
  }

  /** Of 64 bits, where it is no less than 0 and exact as a number: large integers are slow. */
  #safe64(value: bigint): boolean {
    // As plain JavaScript may: null would be 0 as a number, and a fraction be cut off.
    if (typeof value !== 'bigint')
      throw new TypeError(`A field of 64 bits takes a bigint, not ${String(value)}`)
    const number = Number(value)
    if (!(number >= 0 && number <= Number.MAX_SAFE_INTEGER)) return false
    const at = this.#take(8)
    this.#buffer.writeUInt32BE(Math.floor(number / 0x1_0000_0000), at)
    this.#buffer.writeUInt32BE(number >>> 0, at + 4)
    return true
  }

  #take(bytes: number): number {
    const at = this.#length
    const needed = at + bytes
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
      this.#buffer.copy(grown, 0, 0, at)
      this.#buffer = grown
    }
    this.#length = needed
    return at
  }
}

/** How many bytes `length` bytes take with their filling. */
export function padded(length: number): number {
  return (length + 3) & ~3
}

/** What is sent holds more than the protocol allows. */
export function tooLong(length: number, max: number): VirError {
  return new VirError('RPC', `What is sent has a length of ${length}; the protocol allows ${max}`, {
    domain: 'RPC',
  })
}

function noHex(text: string, bytes: number): VirError {
  return new VirError('INVALID_ARG', `'${text.slice(0, 64)}' are not ${bytes * 2} hexadecimal digits`)
}

function overflow(value: number | bigint, what: string): VirError {
  return new VirError('OVERFLOW', `${value} is not ${what}`, { domain: 'RPC' })
}
