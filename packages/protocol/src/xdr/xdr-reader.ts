import { VirError } from '@covirt/core'
import { padded } from './xdr-writer.js'

/** Reads XDR. Whatever the bytes are, it throws nothing but `RPC`, and reads nothing that is not there. */
export class XdrReader {
  readonly #buffer: Buffer
  #at: number

  constructor(buffer: Buffer, at = 0) {
    this.#buffer = buffer
    this.#at = at
  }

  /** How many bytes have not been read. */
  get remaining(): number {
    return this.#buffer.length - this.#at
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#take(4))
  }

  uint32(): number {
    return this.#buffer.readUInt32BE(this.#take(4))
  }

  int64(): bigint {
    return this.#buffer.readBigInt64BE(this.#take(8))
  }

  uint64(): bigint {
    return this.#buffer.readBigUInt64BE(this.#take(8))
  }

  double(): number {
    return this.#buffer.readDoubleBE(this.#take(8))
  }

  /** `length` bytes, and past their filling. They are a view of the packet: copy what is kept. */
  opaque(length: number): Buffer {
    if (length > this.remaining) throw malformed(`it ends within ${length} bytes of data`)
    const at = this.#take(Math.min(padded(length), this.remaining))
    return this.#buffer.subarray(at, at + length)
  }

  /** A text in UTF-8 of at most `maxBytes`. */
  text(maxBytes: number): string {
    const bytes = this.opaque(this.count(maxBytes, 1))
    if (bytes.includes(0)) throw malformed('a text in it holds a zero byte')
    return bytes.toString('utf8')
  }

  /** A number of items of which each takes `itemBytes` at least; more than can follow are refused. */
  count(max: number, itemBytes: number): number {
    const count = this.uint32()
    if (count > max) throw malformed(`${count} items where ${max} are allowed`)
    if (count * itemBytes > this.remaining) throw malformed(`it ends before its ${count} items`)
    return count
  }

  #take(bytes: number): number {
    const at = this.#at
    if (at + bytes > this.#buffer.length)
      throw malformed(`it ends ${at + bytes - this.#buffer.length} bytes early`)
    this.#at = at + bytes
    return at
  }
}

/** The other end has sent what the protocol does not allow. */
export function malformed(why: string): VirError {
  return new VirError('RPC', `A packet cannot be read: ${why}`, { domain: 'RPC' })
}
