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
  const queue = new KeyedQueue()
  const first = gate()
  const order: string[] = []
  const tasks = [
    queue.run(['name a', 'uuid 1'], async () => {
      await first.opened
      order.push('first')
    }),
    queue.run(['uuid 1'], async () => order.push('second')),
    queue.run(['name a'], async () => order.push('third')),
  ]
  first.open()
  await Promise.all(tasks)
  expect(order).toEqual(['first', 'second', 'third'])
})

test('tasks without a common key do not wait for each other', async () => {
  const queue = new KeyedQueue()
  const never = gate()
  const waiting = queue.run(['name a'], () => never.opened)
  await expect(queue.run(['name b'], async () => 'done')).resolves.toBe('done')
  never.open()
  await waiting
})

test('a task that fails lets the next one go', async () => {
  const queue = new KeyedQueue()
  const failing = queue.run(['name a'], async () => {
    throw new Error('no')
  })
  const next = queue.run(['name a'], async () => 'next')
  await expect(failing).rejects.toThrow('no')
  await expect(next).resolves.toBe('next')
})
