import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** The role `guestTime`. */
export function guestTimeRole({ test, needing }: Suite): void {
  test('a guest without an agent tells no time', async (scene) => {
    const domain = await scene.running()
    await scene.refuses('AGENT_UNRESPONSIVE', () => domain.getTime())
    await scene.refuses('AGENT_UNRESPONSIVE', () => domain.setTime())
  })

  needing('agent', 'the time of a guest is what it was set to, and a little later', async (scene) => {
    const domain = await scene.running({ guest: 'agent' })
    const first = await domain.getTime()
    expect(await domain.getTime()).toBeGreaterThanOrEqual(first)
    const then = 1_000_000_000n * 1_000_000_000n
    await domain.setTime(then)
    const now = await domain.getTime()
    expect(now).toBeGreaterThanOrEqual(then)
    expect(now).toBeLessThan(then + 60_000_000_000n)
  })
}
