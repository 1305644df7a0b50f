import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { hyper, string, uhyper } from '../src/xdr/index.js'
import { XdrReader } from '../src/xdr/xdr-reader.js'
import { XdrWriter } from '../src/xdr/xdr-writer.js'

/** What `write` writes, begun where there is something else already. */
function written(write: (writer: XdrWriter) => void): Buffer {
  const writer = new XdrWriter(4)
  writer.uint32(7)
  write(writer)
  return writer.finish().subarray(4)
}

test('text of any length and script is read as it was written, with its length in UTF-8 and zeros behind it', () => {
  const text = fc.oneof(fc.string({ maxLength: 90 }), fc.string({ unit: 'binary', maxLength: 90 }))
  fc.assert(
    fc.property(
      text.filter((value) => !value.includes('\0')),
      (value) => {
        const bytes = written((writer) => string.encode(writer, value))
        expect(string.decode(new XdrReader(bytes))).toBe(value)
        const length = Buffer.byteLength(value)
        expect([bytes.readUInt32BE(0), bytes.length % 4]).toEqual([length, 0])
        expect(bytes.subarray(4 + length).every((byte) => byte === 0)).toBe(true)
      },
    ),
  )
})

test('text with a zero byte, or longer than allowed, is refused', () => {
  expect(() => written((writer) => writer.text('a\0b', 10))).toThrow('zero byte')
  expect(() => written((writer) => writer.text('ääää', 7))).toThrow('a length of 8; the protocol allows 7')
  expect(() => written((writer) => writer.text('abcdefgh', 7))).toThrow(
    'a length of 8; the protocol allows 7',
  )
})

test('integers of 64 bits are read as they were written, and others refused', () => {
  const edges = [0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n]
  const unsigned = fc.oneof(fc.constantFrom(...edges), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
  fc.assert(
    fc.property(unsigned, (value) => {
      expect(uhyper.decode(new XdrReader(written((writer) => uhyper.encode(writer, value))))).toBe(value)
      const signed = BigInt.asIntN(64, value)
      expect(hyper.decode(new XdrReader(written((writer) => hyper.encode(writer, signed))))).toBe(signed)
    }),
  )
  expect(() => written((writer) => writer.uint64(-1n))).toThrow('unsigned integer of 64 bits')
  expect(() => written((writer) => writer.int64(2n ** 63n))).toThrow('integer of 64 bits')
})

test.each([null, undefined, true, 1, 1.5, '7'])('%p is refused where a bigint is written', (value) => {
  for (const codec of [hyper, uhyper]) {
    expect(() => written((writer) => codec.encode(writer, value as never))).toThrow(TypeError)
  }
})

test('digits are written as their bytes, with dashes or without, and nothing else is', () => {
  expect(written((writer) => writer.hex('0123-aBcD', 4)).toString('hex')).toBe('0123abcd')
  for (const wrong of ['0123abc', '0123abcde', '0123abcg', 'ä123abcd', '']) {
    expect(() => written((writer) => writer.hex(wrong, 4))).toThrow('are not 8 hexadecimal digits')
  }
})
