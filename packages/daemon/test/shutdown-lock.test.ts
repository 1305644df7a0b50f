import { FakeClock, silentLogger } from '@covirt/core'
import { expect, test } from '@jest/globals'
import { tempRoot } from '../../../test/fixtures/index.js'
import { ShutdownLock, type ShutdownLockPrograms } from '../src/lifecycle/shutdown-lock.js'
import { stubLogind } from './stub-logind.js'

/** A lock that is kept, what it has heard, one at a time, and what it has logged. */
function kept(programs: ShutdownLockPrograms) {
  const clock = new FakeClock()
  const heard: boolean[] = []
  const waiting: (() => void)[] = []
  const logged: string[] = []
  const log = (message: string) => void logged.push(message)
  const lock = new ShutdownLock({
    clock,
    logger: { ...silentLogger, info: log, warn: log },
    programs,
    onChange: (goingDown) => {
      heard.push(goingDown)
      waiting.shift()?.()
    },
  })
  const over = new AbortController()
  const through = lock.keep(over.signal)
  const hears = async () => {
    if (heard.length === 0) await new Promise<void>((resolve) => waiting.push(resolve))
    return heard.shift()
  }
  const end = async () => {
    over.abort()
    await through
  }
  return { lock, clock, hears, logged, end, through }
}

test('a shutdown is heard of, and its being called off after the lock was given back, which is then taken again', async () => {
  await using root = await tempRoot()
  using logind = stubLogind(root)
  const { lock, hears, end } = kept(logind.programs)
  expect(await logind.next()).toMatchObject({ held: true })
  logind.say(true)
  expect(await hears()).toBe(true)
  lock.release()
  expect(await logind.next()).toMatchObject({ held: false })
  logind.say(false)
  expect(await hears()).toBe(false)
  expect(await logind.next()).toMatchObject({ held: true })
  await end()
})

test('what was said while nobody listened is asked for', async () => {
  await using root = await tempRoot()
  using logind = stubLogind(root)
  logind.answer(true)
  const { lock, hears, end } = kept(logind.programs)
  expect(await hears()).toBe(true)
  logind.answer(false)
  lock.release()
  expect(await hears()).toBe(false)
  await end()
})

test('a lock that is lost is taken again, later each time, and nothing is left at the end', async () => {
  await using root = await tempRoot()
  using logind = stubLogind(root)
  const { clock, logged, end } = kept(logind.programs)
  const waits: number[] = []
  for (let round = 0; round < 3; round++) {
    const { held, pid } = await logind.next()
    expect(held).toBe(true)
    process.kill(pid)
    for (const lost = logged.length; logged.length === lost || clock.sleeping === 0; )
      await new Promise((resolve) => setImmediate(resolve))
    const began = clock.now()
    while (clock.sleeping > 0) await clock.advance(500)
    waits.push(clock.now() - began)
  }
  const { pid } = await logind.next()
  await end()
  expect(waits).toEqual([1000, 2000, 4000])
  expect(() => process.kill(pid, 0)).toThrow('ESRCH')
})

test('where a program for it is missing there is no lock, and that is said once', async () => {
  const missing = ['/nonexistent/program']
  const { logged, through } = kept({ hold: missing, wait: missing, listen: [], ask: missing })
  await through
  expect(logged).toEqual(['no lock of logind’s is taken'])
})
