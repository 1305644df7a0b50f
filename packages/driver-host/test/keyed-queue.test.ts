import { FakeClock, systemClock } from '@covirt/core'
import { expect, test } from '@jest/globals'
import { KeyedQueue } from '../src/keyed-queue.js'

function gate() {
  let open: () => void = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

test('tasks that share a key run one after the other, in the order of the calls', async () => {
  const queue = new KeyedQueue(systemClock)
  const first = gate()
  const order: string[] = []
  const tasks = [
    queue.run({ name: 'task', keys: ['name a', 'uuid 1'] }, async () => {
      await first.opened
      order.push('first')
    }),
    queue.run({ name: 'task', keys: ['uuid 1'] }, async () => order.push('second')),
    queue.run({ name: 'task', keys: ['name a'] }, async () => order.push('third')),
  ]
  first.open()
  await Promise.all(tasks)
  expect(order).toEqual(['first', 'second', 'third'])
})

test('tasks without a common key do not wait for each other', async () => {
  const queue = new KeyedQueue(systemClock)
  const never = gate()
  const waiting = queue.run({ name: 'task', keys: ['name a'] }, () => never.opened)
  await expect(queue.run({ name: 'task', keys: ['name b'] }, async () => 'done')).resolves.toBe('done')
  never.open()
  await waiting
})

test('a task that fails lets the next one go', async () => {
  const queue = new KeyedQueue(systemClock)
  const failing = queue.run({ name: 'task', keys: ['name a'] }, async () => {
    throw new Error('no')
  })
  const next = queue.run({ name: 'task', keys: ['name a'] }, async () => 'next')
  await expect(failing).rejects.toThrow('no')
  await expect(next).resolves.toBe('next')
})

test('a task that is cancelled while it waits leaves the others their turns', async () => {
  const queue = new KeyedQueue(systemClock)
  const first = gate()
  const order: string[] = []
  const running = queue.run({ name: 'first', keys: ['name a'] }, async () => {
    await first.opened
    order.push('first')
  })
  const giveUp = new AbortController()
  const cancelled = queue.run({ name: 'second', keys: ['name a'], signal: giveUp.signal }, async () =>
    order.push('second'),
  )
  const last = queue.run({ name: 'third', keys: ['name a'] }, async () => order.push('third'))
  giveUp.abort()
  await expect(cancelled).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
  first.open()
  await Promise.all([running, last])
  expect(order).toEqual(['first', 'third'])
})

test('a task that waits too long is refused, naming what it waited for', async () => {
  const clock = new FakeClock()
  const queue = new KeyedQueue(clock)
  const first = gate()
  const running = queue.run({ name: "'define' of 'a'", keys: ['name a'] }, () => first.opened)
  const late = queue.run({ name: "'create' of 'a'", keys: ['name a'] }, async () => 'never')
  const refused = expect(late).rejects.toMatchObject({
    code: 'OPERATION_TIMEOUT',
    message: expect.stringContaining("'define' of 'a'"),
  })
  await clock.advance(30_000)
  await refused
  first.open()
  await running
})
