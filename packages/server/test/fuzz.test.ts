import { expect, test } from '@jest/globals'
import { fuzzServer } from './support/fuzz.js'

test('whatever is sent, each call is answered once, and the server goes on', async () => {
  const report = await fuzzServer(20_260, 8000)
  expect(report.answers).toBe(report.calls)
  expect(report.calls).toBeGreaterThan(5000)
})
