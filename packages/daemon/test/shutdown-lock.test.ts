import { execFileSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { FakeClock, silentLogger } from '@covirt/core'
import { expect, test } from '@jest/globals'
import { tempRoot } from '../../../test/fixtures/index.js'
import { ShutdownLock, type ShutdownLockPrograms } from '../src/lifecycle/shutdown-lock.js'
import { stubLogind } from './stub-logind.js'

/** A lock that is kept, what it has heard, one at a time, and what it has logged. */
function kept(programs: ShutdownLockPrograms, onHear?: (lock: ShutdownLock) => void) {
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
      onHear?.(lock)
      waiting.shift()?.()
    },
  })
  const over = new AbortController()
  const through = lock.keep(over.signal)
  const hears = async () => {
    if (heard.length === 0) await new Promise<void>((resolve) => waiting.push(resolve))
    return heard.shift()
  }
  /** Until it is to be taken again, later. */
  const isLost = async () => {
    while (clock.sleeping === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const end = async () => {
    over.abort()
    await through
  }
  return { lock, clock, hears, isLost, logged, end, through }
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
  const { clock, isLost, end } = kept(logind.programs)
  const waits: number[] = []
  for (let round = 0; round < 3; round++) {
    const { held, pid } = await logind.next()
    expect(held).toBe(true)
    process.kill(pid)
    await isLost()
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

test('a lock that is given back after the shutdown was called off is kept', async () => {
  await using root = await tempRoot()
  using logind = stubLogind(root)
  const { lock, clock, hears, isLost, logged, end } = kept(logind.programs)
  const { pid } = await logind.next()
  logind.say(true, false)
  expect([await hears(), await hears()]).toEqual([true, false])
  lock.release()
  process.kill(pid)
  await isLost()
  expect(logged).toEqual(['the lock of logind’s was lost, and is taken again'])
  await clock.advance(1000)
  expect(await logind.next()).toMatchObject({ held: true })
  await end()
})

test('a lock that was given back just as the shutdown is called off is taken again at once', async () => {
  await using root = await tempRoot()
  using logind = stubLogind(root)
  const { hears, logged, end } = kept(logind.programs, (lock) => lock.release())
  await logind.next()
  logind.say(true, false)
  expect([await hears(), await hears()]).toEqual([true, false])
  expect(await logind.next()).toMatchObject({ held: true })
  expect(logged).toEqual([])
  await end()
})

test('a lock that cannot be taken is tried again, and that is said once', async () => {
  const failing = ['sh', '-c', 'echo "Failed to inhibit" >&2; exit 1']
  const { clock, isLost, logged, end } = kept({ hold: failing, wait: failing, listen: [], ask: ['false'] })
  for (let round = 0; round < 3; round++) {
    await isLost()
    await clock.advance(60_000)
  }
  await end()
  expect(logged).toEqual(['the lock of logind’s cannot be taken, and is tried again'])
})

test('a program that the kernel does not start is tried again', async () => {
  // More than one argument may have.
  const tooLong = ['true', 'x'.repeat(200_000)]
  const { isLost, logged, end } = kept({ hold: tooLong, wait: tooLong, listen: [], ask: [] })
  await isLost()
  await end()
  expect(logged).toHaveLength(1)
})

test('where no descriptors are left the lock is tried again, and taken once there are', async () => {
  await using root = await tempRoot()
  using logind = stubLogind(root)
  const limit = (...value: readonly string[]) =>
    execFileSync('prlimit', [`--pid=${process.pid}`, ...value], { encoding: 'utf8' })
  const before = limit('--nofile', '--output=SOFT', '--noheadings', '--raw').trim()
  limit('--nofile=256:')
  const taken: number[] = []
  const takeAll = () => {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  }
  const whileNoneAreLeft = async () => {
    try {
      expect(takeAll).toThrow('EMFILE')
      const lock = kept(logind.programs)
      await lock.isLost()
      return lock
    } finally {
      for (const each of taken) closeSync(each)
      limit(`--nofile=${before}:`)
    }
  }
  const { clock, end } = await whileNoneAreLeft()
  await clock.advance(1000)
  expect(await logind.next()).toMatchObject({ held: true })
  await end()
})
