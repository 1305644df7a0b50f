import { expect, test } from '@jest/globals'
import { FakeClock, systemClock } from '../src/index.js'

test('virtual time wakes sleepers in the order of their times, and equal ones in the order they fell asleep', async () => {
  const clock = new FakeClock()
  const woken: string[] = []
  const sleep = async (name: string, ms: number) => {
    await clock.sleep(ms)
    woken.push(`${name}@${clock.now()}`)
  }
  const all = Promise.all([sleep('c', 30), sleep('a', 10), sleep('b', 10)])
  await clock.advance(30)
  await all
  expect(woken).toEqual(['a@10', 'b@10', 'c@30'])
})

test('a sleeper that sleeps again while time advances wakes within the same advance', async () => {
  const clock = new FakeClock(100)
  const times: number[] = []
  const loop = (async () => {
    for (let i = 0; i < 3; i++) {
      await clock.sleep(10)
      times.push(clock.now())
    }
  })()
  await clock.advance(35)
  await loop
  expect(times).toEqual([110, 120, 130])
  expect(clock.now()).toBe(135)
})

test.each([
  ['virtual', new FakeClock()],
  ['real', systemClock],
])('a sleep in %s time is cancelled by its signal, and leaves nothing behind', async (_name, clock) => {
  const abort = new AbortController()
  const sleep = clock.sleep(3_600_000, { signal: abort.signal })
  abort.abort()
  await expect(sleep).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
  if (clock instanceof FakeClock) expect(clock.sleeping).toBe(0)
})

test.each([2 ** 31, Number.POSITIVE_INFINITY])(
  'a sleep of %s ms in real time does not end at once',
  async (ms) => {
    const abort = new AbortController()
    const sleep = systemClock.sleep(ms, { signal: abort.signal }).then(
      () => 'awake',
      () => 'cancelled',
    )
    expect(await Promise.race([sleep, systemClock.sleep(20).then(() => 'asleep')])).toBe('asleep')
    abort.abort()
    expect(await sleep).toBe('cancelled')
  },
)

test.each([
  ['virtual', () => new FakeClock()],
  ['real', () => systemClock],
])('what is to be done after some %s time is done once, unless it is called off', async (_name, make) => {
  const clock = make()
  const done: string[] = []
  clock.after(5, () => done.push('done'))
  const callOff = clock.after(1, () => done.push('called off'))
  callOff()
  callOff()
  const slept = clock.sleep(20)
  if (clock instanceof FakeClock) {
    expect(clock.sleeping).toBe(2)
    await clock.advance(20)
  }
  await slept
  expect(done).toEqual(['done'])
})
