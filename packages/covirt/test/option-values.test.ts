import { expect, test } from '@jest/globals'
import { parseMemoryKib, parseSeconds } from '../src/cli/option-values.js'

test.each([
  ['512M', 524_288],
  ['1G', 1_048_576],
  ['1GiB', 1_048_576],
  ['2048', 2048],
  ['64k', 64],
])('the size %s is %i KiB', (text, kib) => {
  expect(parseMemoryKib(text)).toBe(kib)
})

test.each(['', 'much', '-1', '0', '1.5G', '999999999999T'])('the size %j is refused', (text) => {
  expect(() => parseMemoryKib(text)).toThrow('512M')
})

test.each([
  ['10', 10],
  ['0.5', 0.5],
  ['0', 0],
])('%s is a time of %d seconds', (text, seconds) => {
  expect(parseSeconds(text)).toBe(seconds)
})

test.each(['', 'soon', '-1', 'Infinity', '1e9'])('the time %j is refused', (text) => {
  expect(() => parseSeconds(text)).toThrow('seconds')
})
