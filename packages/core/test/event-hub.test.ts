import { expect, test } from '@jest/globals'
import { EventHub, silentLogger } from '../src/index.js'

test('a listener that throws is logged and harms no other', () => {
  const errors: unknown[] = []
  const hub = new EventHub<number>({
    ...silentLogger,
    error: (_message, fields) => errors.push(fields?.error),
  })
  const heard: number[] = []
  hub.subscribe(() => {
    throw new Error('mine')
  })
  hub.subscribe((event) => heard.push(event))
  hub.emit(1)
  expect([heard, errors]).toEqual([[1], ['mine']])
})

test('one listener that subscribes twice is called twice, and ends each on its own', () => {
  const hub = new EventHub<number>(silentLogger)
  const heard: number[] = []
  const listener = (event: number) => heard.push(event)
  const first = hub.subscribe(listener)
  hub.subscribe(listener)
  hub.emit(1)
  first()
  first()
  hub.emit(2)
  expect(heard).toEqual([1, 1, 2])
})

test('an async listener that rejects is logged too', async () => {
  const logged = new Promise((resolve) => {
    const hub = new EventHub<number>({ ...silentLogger, error: (_message, fields) => resolve(fields?.error) })
    hub.subscribe(async () => {
      throw new Error('later')
    })
    hub.emit(1)
  })
  await expect(logged).resolves.toBe('later')
})
