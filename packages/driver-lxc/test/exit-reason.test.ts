import { describe, expect, test } from '@jest/globals'
import { exitOf, wantsReboot } from '../src/guest/exit-reason.js'

const exitCode = (code: number) => code << 8

describe('how a container ended', () => {
  test.each([
    ['powered off', 2, false, 'shutdown'],
    ['exited with 0', 0, false, 'shutdown'],
    ['exited with 1', exitCode(1), false, 'crashed'],
    ['exited with 143 when asked', exitCode(143), true, 'shutdown'],
    ['ended by SIGTERM when asked', 15, true, 'shutdown'],
    ['ended by SIGTERM unasked', 15, false, 'crashed'],
    ['killed', 9, false, 'crashed'],
    ['killed after it was asked', 9, true, 'crashed'],
    ['dumped core', 0x8b, false, 'crashed'],
    ['ended unheard', undefined, false, 'crashed'],
    ['ended unheard when asked', undefined, true, 'shutdown'],
  ])('%s', (_, status, asked, kind) => {
    expect(exitOf({ status, asked }).kind).toBe(kind)
  })

  test('a crash says by what', () => {
    expect(exitOf({ status: 11, asked: false })).toEqual({
      kind: 'crashed',
      message: 'its init was ended by SIGSEGV',
    })
    expect(exitOf({ status: exitCode(3), asked: false })).toMatchObject({
      message: expect.stringContaining('code 3'),
    })
  })

  test('SIGHUP is a wish to restart', () => {
    expect(wantsReboot({ status: 1, asked: false })).toBe(true)
    expect(wantsReboot({ status: exitCode(1), asked: false })).toBe(false)
  })
})
