import { abortError } from '@covirt/core'
import { describe, expect, test } from '@jest/globals'
import { PlanRuns } from '../src/lifecycle/plan-runs.js'

/** A plan that runs until it is told to end, or is interrupted. */
function plan() {
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const work = (signal: AbortSignal) =>
    new Promise<string>((resolve, reject) => {
      void ended.then(() => resolve('through'))
      signal.addEventListener('abort', () => reject(abortError(signal)), { once: true })
    })
  return { work, end }
}

describe('a plan while another one runs', () => {
  test('is refused', async () => {
    const runs = new PlanRuns()
    const first = plan()
    const running = runs.run('The first', first.work)
    await expect(runs.run('The second', async () => {})).rejects.toMatchObject({ code: 'RESOURCE_BUSY' })
    first.end()
    await expect(running).resolves.toBe('through')
  })

  test('waits for it where it may, and so do several, one after the other', async () => {
    const runs = new PlanRuns()
    const first = plan()
    const running = runs.run('The first', first.work)
    let atOnce = 0
    const next = (name: string) =>
      runs.run(
        name,
        async () => {
          atOnce += 1
          await new Promise((resolve) => setImmediate(resolve))
          return atOnce--
        },
        { waits: true },
      )
    const waiting = ['The second', 'The third', 'The fourth'].map(next)
    first.end()
    await running
    await expect(Promise.all(waiting)).resolves.toEqual([1, 1, 1])
  })

  test('gives up waiting as its own signal fires', async () => {
    const runs = new PlanRuns()
    const first = plan()
    const running = runs.run('The first', first.work)
    const giveUp = new AbortController()
    const waiting = runs.run('The second', async () => {}, { waits: true, signal: giveUp.signal })
    giveUp.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
    first.end()
    await running
  })

  test('is interrupted with the one that it waits for, and does not run after what goes first', async () => {
    const runs = new PlanRuns()
    const running = expect(runs.run('The first', plan().work)).rejects.toMatchObject({
      code: 'OPERATION_ABORTED',
    })
    const waiting = runs.run('The second', async () => 'has run', { waits: true })
    const refused = expect(waiting).rejects.toMatchObject({
      code: 'OPERATION_ABORTED',
      message: expect.stringMatching(/^The second was interrupted: The last goes first/),
    })
    await runs.run('The last', async () => {}, { interrupts: true })
    await refused
    await running
  })
})
