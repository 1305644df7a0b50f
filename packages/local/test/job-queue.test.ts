import { FakeClock, VirError } from '@covirt/core'
import { expect, test } from '@jest/globals'
import { JobQueue } from '../src/job-queue.js'

/** A job that runs until the test lets it end, or its signal fires. */
function held() {
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const work = ({ signal }: { signal?: AbortSignal | undefined }) =>
    new Promise<void>((resolve, reject) => {
      void ended.then(resolve)
      signal?.addEventListener('abort', () => reject(signal.reason))
    })
  return { work, end }
}

function queue(clock = new FakeClock()) {
  let idle = 0
  const jobs = new JobQueue(clock, () => {
    idle += 1
  })
  return { jobs, clock, timesIdle: () => idle }
}

test('jobs run one at a time in the order in which they were asked for', async () => {
  const { jobs, timesIdle } = queue()
  const log: string[] = []
  const job = (name: string) =>
    jobs.run(name, {}, async () => {
      log.push(`${name}+`)
      await Promise.resolve()
      log.push(`${name}-`)
    })
  await Promise.all([job('a'), job('b'), job('c')])
  expect(log).toEqual(['a+', 'a-', 'b+', 'b-', 'c+', 'c-'])
  expect(timesIdle()).toBe(1)
})

test('a job that fails does not hinder the next', async () => {
  const { jobs } = queue()
  const failing = jobs.run('a', {}, () => Promise.reject(new Error('mine')))
  const next = jobs.run('b', {}, async () => 'done')
  await expect(failing).rejects.toThrow('mine')
  await expect(next).resolves.toBe('done')
})

test('what has happened already goes before what is asked for, and keeps its order', async () => {
  const { jobs } = queue()
  const log: string[] = []
  const first = held()
  const running = jobs.run('first', {}, first.work)
  const all = [
    jobs.run('asked', {}, async () => void log.push('asked')),
    jobs.runNext('one', async () => void log.push('one')),
    jobs.runNext('two', async () => void log.push('two')),
  ]
  first.end()
  await Promise.all([running, ...all])
  expect(log).toEqual(['one', 'two', 'asked'])
})

test('a job that waits is cancelled by its signal and never runs', async () => {
  const { jobs, clock } = queue()
  const first = held()
  const running = jobs.run('first', {}, first.work)
  const abort = new AbortController()
  let ran = false
  const waiting = jobs.run('second', { signal: abort.signal }, async () => {
    ran = true
  })
  abort.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
  first.end()
  await running
  expect([ran, clock.sleeping]).toEqual([false, 0])
})

test('a job that waits too long is refused, naming the job that holds it up', async () => {
  const { jobs, clock } = queue()
  const first = held()
  const running = jobs.run('snapshot', {}, first.work)
  const waiting = jobs.run('start', {}, async () => {})
  const refusal = expect(waiting).rejects.toMatchObject({
    code: 'OPERATION_TIMEOUT',
    message: expect.stringMatching(/'start'.*'snapshot'/),
  })
  await clock.advance(30_000)
  await refusal
  first.end()
  await running
})

test('preempting aborts the job under way and runs next', async () => {
  const { jobs } = queue()
  const running = jobs.run('start', {}, held().work)
  const later = jobs.run('later', {}, async () => 'later')
  const destroy = jobs.preempt('destroy', {}, async () => 'destroyed')
  await expect(running).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
  await expect(destroy).resolves.toBe('destroyed')
  await expect(later).resolves.toBe('later')
})

test('preempting waits for a job that tells what has happened', async () => {
  const { jobs } = queue()
  const exit = held()
  const running = jobs.runNext('exit', exit.work)
  const destroy = jobs.preempt('destroy', {}, async () => 'destroyed')
  exit.end()
  await expect(running).resolves.toBeUndefined()
  await expect(destroy).resolves.toBe('destroyed')
})

test('draining aborts what runs, refuses what waits, and resolves when all is quiet', async () => {
  const { jobs } = queue()
  const running = jobs.run('first', {}, held().work)
  const waiting = jobs.run('second', {}, async () => {})
  const reason = new VirError('OPERATION_ABORTED', 'closing')
  const drained = jobs.drain(reason)
  await expect(running).rejects.toBe(reason)
  await expect(waiting).rejects.toBe(reason)
  await drained
  expect(jobs.idle).toBe(true)
})

test('a job that throws at once is rejected and does not hold up the next', async () => {
  const { jobs } = queue()
  const failing = jobs.run('a', {}, () => {
    throw new Error('at once')
  })
  const next = jobs.run('b', {}, async () => 'done')
  await expect(failing).rejects.toThrow('at once')
  expect(await next).toBe('done')
})
