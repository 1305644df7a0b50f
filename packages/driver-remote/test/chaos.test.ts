import { expect, test } from '@jest/globals'
import { patience } from '../../../test/fixtures/index.js'
import { chaos } from './chaos.js'
import { wrongIn } from './event-view.js'

test(
  'whatever fails, the view of who follows events becomes the truth, and nothing is missed in silence',
  async () => {
    const seed = Date.now() >>> 0
    const report = await chaos({ cycles: 24, guests: 50, seed }).catch((cause: unknown) => {
      throw new Error(`seed ${seed}`, { cause })
    })
    expect(report.resyncs).toBeGreaterThan(0)
    expect(report.told).toBeLessThanOrEqual(report.transitions)
  },
  patience(60_000),
)

test.each([
  [['a', 'b', 'c'], true],
  [['a', 'resync', 'c'], true],
  [['a', 'b', 'resync'], true],
  [['resync', 'c'], true],
  [['a', 'c'], false],
  [['a', 'b'], false],
  [['a', 'resync', 'b'], false],
  [['b', 'c'], false],
  [['a', 'resync', 'c', 'b'], false],
])('of what happened as a, b, c the story %p is told right: %p', (story, right) => {
  expect(wrongIn(story, ['a', 'b', 'c']) === undefined).toBe(right)
})
