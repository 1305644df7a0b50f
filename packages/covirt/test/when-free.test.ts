import { FakeClock, VirError } from '@covirt/core'
import { expect, test } from '@jest/globals'
import { whenFree } from '../src/cli/connect.js'

const busy = () => new VirError('RESOURCE_BUSY', 'held by process 7')

test('it tries again until what another process holds is free', async () => {
  const clock = new FakeClock()
  let free = false
  const opened = whenFree(
    async () => {
      if (!free) throw busy()
      return 'open'
    },
    { timeoutMs: 10_000, clock },
  )
  await clock.advance(3000)
  free = true
  await clock.advance(250)
  await expect(opened).resolves.toBe('open')
})

test('it gives up after the timeout, with the error that names the holder', async () => {
  const clock = new FakeClock()
  const opened = whenFree(() => Promise.reject(busy()), { timeoutMs: 1000, clock })
  const refused = expect(opened).rejects.toMatchObject({
    code: 'RESOURCE_BUSY',
    message: 'held by process 7',
  })
  await clock.advance(1000)
  await refused
})

test('it says once that it waits', async () => {
  const clock = new FakeClock()
  const said: string[] = []
  const opened = whenFree(() => Promise.reject(busy()), {
    timeoutMs: 1000,
    clock,
    onWait: (text) => said.push(text),
  })
  const refused = expect(opened).rejects.toThrow()
  await clock.advance(1000)
  await refused
  expect(said).toEqual(['held by process 7'])
})

test('any other error is not waited for', async () => {
  const opened = whenFree(() => Promise.reject(new VirError('NO_CONNECT', 'no')), {
    timeoutMs: 1000,
    clock: new FakeClock(),
  })
  await expect(opened).rejects.toMatchObject({ code: 'NO_CONNECT' })
})

test('waiting ends when the user gives up', async () => {
  const clock = new FakeClock()
  const user = new AbortController()
  const opened = whenFree(() => Promise.reject(busy()), { timeoutMs: 1000, clock, signal: user.signal })
  const refused = expect(opened).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
  await clock.advance(100)
  user.abort()
  await refused
})
