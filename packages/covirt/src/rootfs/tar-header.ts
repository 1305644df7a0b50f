import { VirError } from '@covirt/core'

export const tarBlockBytes = 512

/** What one header of a tar archive says (tar(5)). */
export interface TarHeader {
  /** As GNU tar and pax(1) write them; a file is `0`. */
  readonly type: string
  readonly path: string
  /** Where a link leads. */
  readonly link: string
  readonly size: number
  readonly deviceMajor: number
  readonly deviceMinor: number
}

/** Reads a header. `OPERATION_FAILED` where its checksum is wrong or a number is none. */
export function readHeader(block: Buffer): TarHeader {
  checkSum(block)
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? text(block, 345, 155) : ''
  const name = text(block, 0, 100)
  const type = block.toString('latin1', 156, 157)
  return {
    type: type === '\0' ? '0' : type,
    path: prefix === '' ? name : `${prefix}/${name}`,
    link: text(block, 157, 100),
    size: number(block, 124, 12),
    deviceMajor: number(block, 329, 8),
    deviceMinor: number(block, 337, 8),
  }
}

function checkSum(block: Buffer): void {
  let sum = 0
  for (const [at, byte] of block.entries()) sum += at >= 148 && at < 156 ? 32 : byte
  if (sum !== number(block, 148, 8)) throw damaged('a header has a wrong checksum')
}

function text(block: Buffer, at: number, length: number): string {
  const field = block.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.toString('latin1', 0, end < 0 ? length : end)
}

/** Octal digits; or, with the first bit set, as many bytes of a number as there are (GNU). */
function number(block: Buffer, at: number, length: number): number {
  const field = block.subarray(at, at + length)
  if (((field[0] ?? 0) & 0x80) !== 0) {
    let value = (field[0] ?? 0) & 0x7f
    for (const byte of field.subarray(1)) value = value * 256 + byte
    if (Number.isSafeInteger(value)) return value
    throw damaged('a number is too large')
  }
  const digits = text(block, at, length).trim()
  if (digits === '') return 0
  if (!/^[0-7]+$/.test(digits)) throw damaged('a number is none')
  return Number.parseInt(digits, 8)
}

function damaged(why: string): VirError {
  return new VirError('OPERATION_FAILED', `The archive is damaged or no tar archive: ${why}`)
}
