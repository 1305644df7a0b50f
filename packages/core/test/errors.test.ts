import { expect, test } from '@jest/globals'
import { errorNumbers, isVirError, VirError } from '../src/index.js'

test("an error carries libvirt's numbers for its code and domain", () => {
  const error = new VirError('NO_DOMAIN', 'gone', { domain: 'LXC' })
  expect([error.number, error.domainNumber]).toEqual([42, 17])
})

test('no two codes share a number', () => {
  const numbers = Object.values(errorNumbers)
  expect(new Set(numbers).size).toBe(numbers.length)
})

test('a cancelled call is named AbortError, every other error VirError', () => {
  expect(new VirError('OPERATION_ABORTED', '').name).toBe('AbortError')
  expect(new VirError('NO_DOMAIN', '').name).toBe('VirError')
})

test('isVirError tells codes apart', () => {
  const error = new VirError('NO_DOMAIN', '')
  expect(isVirError(error)).toBe(true)
  expect(isVirError(error, 'NO_DOMAIN')).toBe(true)
  expect(isVirError(error, 'NO_SUPPORT')).toBe(false)
  expect(isVirError(new Error())).toBe(false)
})

test('the JSON form leaves out what is not there', () => {
  expect(new VirError('NO_DOMAIN', 'gone').toJSON()).toEqual({
    code: 'NO_DOMAIN',
    number: 42,
    domain: 'NONE',
    message: 'gone',
  })
})
