import { describe, expect, test } from '@jest/globals'
import { ValueProblem } from '../src/codec/path.js'
import {
  bigInteger,
  hex,
  i32,
  i64,
  integer,
  macAddress,
  oneOf,
  onOff,
  openSet,
  port,
  type Scalar,
  string,
  u32,
  u64,
  uuid,
  yesNo,
} from '../src/codec/scalar.js'

const uuidText = 'c7a5fdbd-edaf-9455-926a-d65c16db1809'

test.each<[string, Scalar<unknown>, string, unknown]>([
  ['string', string, ' a b ', ' a b '],
  ['yesNo', yesNo, 'yes', true],
  ['yesNo', yesNo, ' no\n', false],
  ['onOff', onOff, 'on', true],
  ['onOff', onOff, 'off', false],
  ['oneOf', oneOf('a', 'b'), ' b ', 'b'],
  ['openSet', openSet('a'), 'new', 'new'],
  ['u32', u32, '4294967295', 4294967295],
  ['u32', u32, ' +7\n', 7],
  ['i32', i32, '-2147483648', -2147483648],
  ['port', port, '-1', -1],
  ['u64', u64, '18446744073709551615', 18446744073709551615n],
  ['i64', i64, '-9223372036854775808', -9223372036854775808n],
  ['hex', hex(4, 0xffff), '0x001F', 31],
  ['hex', hex(4, 0xffff), '31', 31],
  ['uuid', uuid, uuidText.toUpperCase(), uuidText],
  ['uuid', uuid, uuidText.replaceAll('-', ''), uuidText],
  ['macAddress', macAddress, '52:54:00:AB:C:0', '52:54:00:ab:0c:00'],
])('%s reads %#s', (_, scalar, text, value) => {
  expect(scalar.read(text)).toBe(value)
})

test.each<[string, Pick<Scalar<never>, 'write'>, unknown, string]>([
  ['string', string, ' a ', ' a '],
  ['yesNo', yesNo, false, 'no'],
  ['onOff', onOff, true, 'on'],
  ['oneOf', oneOf('a', 'b'), 'a', 'a'],
  ['openSet', openSet('a'), 'new', 'new'],
  ['u32', u32, 0, '0'],
  ['u64', u64, 2n ** 64n - 1n, '18446744073709551615'],
  ['hex', hex(4, 0xffff), 31, '0x001f'],
  ['uuid', uuid, uuidText.toUpperCase(), uuidText],
  ['macAddress', macAddress, '52:54:0:AB:C:0', '52:54:00:ab:0c:00'],
])('%s writes %p', (_, scalar, value, text) => {
  expect(scalar.write(value as never)).toBe(text)
})

describe('a text that is no such value is refused:', () => {
  test.each<[string, Scalar<unknown>, string, RegExp]>([
    ['yesNo', yesNo, 'true', /'true' is neither yes nor no/],
    ['onOff', onOff, 'ON', /neither on nor off/],
    ['oneOf', oneOf('a', 'b'), 'c', /'c' is not known/],
    ['u32', u32, '4294967296', /out of range/],
    ['u32', u32, '-1', /out of range/],
    ['u32', u32, '1e3', /not a whole number/],
    ['u32', u32, '0x10', /not a whole number/],
    ['u32', u32, '1.5', /not a whole number/],
    ['u32', u32, ' ', /a number is missing/],
    ['u32', u32, '١', /not a whole number/],
    ['u32', u32, '9'.repeat(400), /out of range/],
    ['u64', u64, '18446744073709551616', /out of range/],
    ['u64', u64, '-1', /out of range/],
    ['u64', u64, '9'.repeat(100_000), /a number of 100000 digits is out of range/],
    ['bigInteger', bigInteger(1n, 2n), '3', /Allowed|out of range/],
    ['hex', hex(2, 0xff), '0x100', /not a number from 0 to 0xff/],
    ['hex', hex(2, 0xff), '-1', /not a number/],
    ['hex', hex(2, 0xff), '', /not a number/],
    ['uuid', uuid, 'c7a5fdbd', /not a UUID/],
    ['uuid', uuid, `${uuidText}-`, /not a UUID/],
    ['uuid', uuid, uuidText.replace('c', 'g'), /not a UUID/],
    ['macAddress', macAddress, '52:54:00:ab:cd', /not a MAC address/],
    ['macAddress', macAddress, '52:54:00:ab:cd:100', /not a MAC address/],
    ['macAddress', macAddress, '52-54-00-ab-cd-ef', /not a MAC address/],
  ])('%s %#', (_, scalar, text, message) => {
    expect(() => scalar.read(text)).toThrow(ValueProblem)
    expect(() => scalar.read(text)).toThrow(message)
  })
})

describe('a value that the text cannot carry is refused:', () => {
  test.each<[string, Pick<Scalar<never>, 'write'>, unknown, typeof TypeError | typeof ValueProblem]>([
    ['string', string, 7, TypeError],
    ['yesNo', yesNo, 'yes', TypeError],
    ['oneOf', oneOf('a'), 'b', ValueProblem],
    ['integer', integer(1, 2), 3, ValueProblem],
    ['u32', u32, 1.5, TypeError],
    ['u32', u32, Number.NaN, TypeError],
    ['u32', u32, 1n, TypeError],
    ['u64', u64, 1, TypeError],
    ['u64', u64, -1n, ValueProblem],
    ['hex', hex(2, 0xff), 256, ValueProblem],
    ['hex', hex(2, 0xff), '1', TypeError],
    ['uuid', uuid, 'x', ValueProblem],
    ['macAddress', macAddress, undefined, TypeError],
  ])('%s %p', (_, scalar, value, kind) => {
    expect(() => scalar.write(value as never)).toThrow(kind)
  })
})

test('a long text is cut in the message', () => {
  expect(() => yesNo.read('x'.repeat(1000))).toThrow(/^'x{60}…' is neither/)
})
