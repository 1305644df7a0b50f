import { expect, test } from '@jest/globals'
import { abortable, anySignal } from '../src/index.js'

const pending = new Promise<never>(() => {})

test('abortable settles as its promise does while nothing is aborted', async () => {
  const { signal } = new AbortController()
  await expect(abortable(Promise.resolve(1), signal)).resolves.toBe(1)
  await expect(abortable(Promise.reject(new Error('no')), signal)).rejects.toThrow('no')
})

test('abortable rejects with the reason as cause when the signal fires', async () => {
  const abort = new AbortController()
  const call = abortable(pending, abort.signal)
  abort.abort('enough')
  await expect(call).rejects.toMatchObject({ code: 'OPERATION_ABORTED', cause: 'enough' })
})

test('abortable rejects at once where the signal had fired before', async () => {
  await expect(abortable(pending, AbortSignal.abort())).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
})

test('anySignal fires with any of its signals', () => {
  const abort = new AbortController()
  const any = anySignal(undefined, abort.signal, new AbortController().signal)
  abort.abort()
  expect(any?.aborted).toBe(true)
})

test('anySignal of nothing is nothing', () => {
  expect(anySignal(undefined, undefined)).toBeUndefined()
})
