import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { parseProcessStat } from '../src/index.js'

test('a name with blanks and parentheses does not shift the fields', () => {
  const text = '42 (a (b) c) S 7 42 42 0 -1 4194560 1 2 3 4 50 60 0 0 20 0 1 0 987654 1000 5'
  const expected = { alive: true, exiting: false, parent: 7, cpuTicks: 110n, startTicks: 987654 }
  expect(parseProcessStat(text)).toEqual(expected)
})

test.each(['Z', 'X', 'x'])('a process in state %s has ended', (state) => {
  expect(parseProcessStat(`42 (sh) ${state} 7 0`).alive).toBe(false)
})

test('a process that the kernel is taking down is still alive, and exiting', () => {
  const text = '42 (init) D 7 42 42 0 -1 4194564 1 2 3 4 50 60 0 0 20 0 1 0 987654 1000 5'
  expect(parseProcessStat(text)).toMatchObject({ alive: true, exiting: true })
})

test('this process lives, and its parent is known', () => {
  expect(parseProcessStat(readFileSync('/proc/self/stat', 'utf8'))).toMatchObject({
    alive: true,
    exiting: false,
    parent: process.ppid,
  })
})
