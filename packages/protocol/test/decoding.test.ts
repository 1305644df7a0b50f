import { VirError } from '@covirt/core'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  array,
  type Codec,
  decodeRoleValue,
  decodeValue,
  encodeFrame,
  encodeValue,
  errorRecord,
  type Frame,
  FrameDecoder,
  frameTypes,
  type Procedure,
  procedures,
  string,
  typedParameters,
} from '../src/index.js'

const codecs: readonly Codec<unknown>[] = [
  errorRecord,
  ...Object.values(procedures).flatMap(({ args, result }: Procedure) => [args, result]),
]

function framesOf(decoder: FrameDecoder): readonly Frame[] {
  const frames: Frame[] = []
  for (let frame = decoder.next(); frame; frame = decoder.next()) frames.push(frame)
  return frames
}

test('whatever the bytes are, a codec gives a value or throws RPC', () => {
  const words = fc.array(fc.oneof(fc.nat(20), fc.constant(0), fc.nat(0xffff_ffff)), { maxLength: 30 })
  fc.assert(
    fc.property(
      fc.constantFrom(...codecs),
      words,
      fc.uint8Array({ maxLength: 3 }),
      (codec, numbers, rest) => {
        const bytes = Buffer.alloc(numbers.length * 4 + rest.length)
        for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number >>> 0, index * 4)
        bytes.set(rest, numbers.length * 4)
        try {
          decodeValue(codec, bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(VirError)
          expect(error).toHaveProperty('code', 'RPC')
        }
      },
    ),
    { numRuns: 2000 },
  )
})

test('what was decoded can be encoded, and is the same then', () => {
  const words = fc.array(fc.nat(6), { maxLength: 30 })
  fc.assert(
    fc.property(fc.constantFrom(...codecs.slice(1)), words, (codec, numbers) => {
      const bytes = Buffer.alloc(numbers.length * 4)
      for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, index * 4)
      let value: unknown
      try {
        value = decodeValue(codec, bytes)
      } catch {
        return
      }
      expect(decodeValue(codec, encodeValue(codec, value))).toEqual(value)
    }),
    { numRuns: 1500 },
  )
})

test('a count that cannot be true is refused before anything is made for it', () => {
  const bytes = Buffer.from('00004000', 'hex')
  expect(() => decodeValue(array(string, 16_384), bytes)).toThrow('it ends before its 16384 items')
})

test('a count over the limit is refused', () => {
  const bytes = Buffer.concat([Buffer.from('00000011', 'hex'), Buffer.alloc(4000)])
  expect(() => decodeValue(typedParameters(16), bytes)).toThrow('17 items where 16 are allowed')
})

test('packets come out as they went in, wherever they are cut', () => {
  const packet = fc.record({
    program: fc.nat(0xffff_ffff),
    version: fc.nat(9),
    procedure: fc.nat(500),
    type: fc.constantFrom(0, 1, 2, 3, 6),
    serial: fc.nat(0xffff_ffff),
    status: fc.nat(2),
    payload: fc.uint8Array({ maxLength: 100 }),
  })
  fc.assert(
    fc.property(
      fc.array(packet, { maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 90 })),
      (packets, cuts) => {
        const bytes = Buffer.concat(packets.map(({ payload, ...header }) => encodeFrame(header, payload)))
        const decoder = new FrameDecoder()
        const frames: Frame[] = []
        let at = 0
        for (const cut of [...cuts, bytes.length]) {
          decoder.push(bytes.subarray(at, at + cut))
          frames.push(...framesOf(decoder))
          at += cut
        }
        const got = frames.map(({ descriptors: _, ...frame }) => ({
          ...frame,
          payload: new Uint8Array(frame.payload),
        }))
        expect(got).toEqual(packets)
      },
    ),
  )
})

test('the bytes that carry descriptors are passed over', () => {
  const header = { program: 1, version: 1, procedure: 1, serial: 1, status: 0 }
  const decoder = new FrameDecoder()
  decoder.push(
    Buffer.concat([
      encodeFrame({ ...header, type: frameTypes.callWithDescriptors }, Buffer.from('abcd'), 2),
      Buffer.from([0]),
    ]),
  )
  decoder.push(Buffer.concat([Buffer.from([0]), encodeFrame({ ...header, type: frameTypes.call })]))
  expect(framesOf(decoder).map(({ type, descriptors }) => [type, descriptors])).toEqual([
    [4, 2],
    [0, 0],
  ])
})

test.each([
  ['shorter than its header', '0000001b'],
  ['longer than the protocol allows', '02000005'],
  ['without a length', '00000000'],
])('a packet that claims to be %s is refused', (_what, length) => {
  const decoder = new FrameDecoder()
  decoder.push(Buffer.from(length, 'hex'))
  expect(() => decoder.next()).toThrow(VirError)
})

test('a large packet that comes byte by byte comes out whole', () => {
  const decoder = new FrameDecoder()
  const packet = encodeFrame(
    { program: 1, version: 1, procedure: 1, type: 0, serial: 1, status: 0 },
    Buffer.alloc(60_000),
  )
  for (const byte of packet.subarray(0, -1)) decoder.push(Buffer.of(byte))
  expect(decoder.next()).toBeUndefined()
  decoder.push(packet.subarray(-1))
  expect(decoder.next()?.payload.length).toBe(60_000)
})

test('errors travel with their code, domain, message and hint', () => {
  const error = new VirError('NO_DOMAIN', 'There is none', { domain: 'LXC', hint: 'Make one' })
  const got = decodeValue(errorRecord, encodeValue(errorRecord, error))
  expect(got).toMatchObject({ code: 'NO_DOMAIN', domain: 'LXC', message: 'There is none', hint: 'Make one' })
})

test('what was thrown and is no error of ours travels as an internal one', () => {
  const got = decodeValue(errorRecord, encodeValue(errorRecord, new TypeError('oops')))
  expect(got).toMatchObject({ code: 'INTERNAL_ERROR', message: 'oops' })
})

test('an integer of a role with more digits than any counter has is refused', () => {
  const text = (digits: string) => JSON.stringify({ $covirt: 'bigint', value: digits })
  expect(decodeRoleValue(text('1'.repeat(100)))).toBe(BigInt('1'.repeat(100)))
  expect(() => decodeRoleValue(text('1'.repeat(101)))).toThrow(VirError)
})
