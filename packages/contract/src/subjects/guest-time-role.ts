import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** The role `guestTime`. */
export function guestTimeRole({ onOneGuest }: Suite): void {
  onOneGuest('plain', 'a guest without an agent tells no time', async (domain, scene) => {
    await scene.refuses('AGENT_UNRESPONSIVE', () => domain.getTime())
    await scene.refuses('AGENT_UNRESPONSIVE', () => domain.setTime())
  })

  onOneGuest('agent', 'the time of a guest is what it was set to, and a little later', async (domain) => {
    const first = await domain.getTime()
    expect(await domain.getTime()).toBeGreaterThanOrEqual(first)
    const then = 1_000_000_000n * 1_000_000_000n
    await domain.setTime(then)
    const now = await domain.getTime()
    expect(now).toBeGreaterThanOrEqual(then)
    expect(now).toBeLessThan(then + 60_000_000_000n)
    await domain.setTime(first)
  })
}
