import type { KeyCodeSet } from '@covirt/core'
import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** The role `keyboard`. */
export function keyboardRole({ onOneGuest }: Suite): void {
  onOneGuest('plain', 'keys are pressed together, of any set that there is', async (domain, scene) => {
    const told = await scene.eventsOf(async () => {
      await domain.sendKey([29, 56, 111])
      await domain.sendKey([28], { codeSet: 'xt', holdTimeMs: 1 })
      await domain.sendKey([28], { codeSet: 'qnum', holdTimeMs: 1 })
    })
    expect(told).toEqual([])
    expect(await domain.state()).toMatchObject({ state: 'running' })
  })

  onOneGuest('plain', 'keys that there are not are an invalid argument', async (domain, scene) => {
    for (const keys of [[], [0], [-1], [1.5], [256], Array.from({ length: 17 }, () => 30)])
      await scene.refuses('INVALID_ARG', () => domain.sendKey(keys))
  })

  onOneGuest('plain', 'a set of keys that there is not is refused', async (domain, scene) => {
    await scene.refuses('ARGUMENT_UNSUPPORTED', () =>
      domain.sendKey([30], { codeSet: 'typewriter' as KeyCodeSet }),
    )
  })
}

/** The role `nmi`. */
export function nmiRole({ test }: Suite): void {
  test('a guest is interrupted, and nothing is told of it', async (scene) => {
    const domain = await scene.paused()
    expect(await scene.eventsOf(() => domain.injectNmi())).toEqual([])
    expect(await domain.isActive()).toBe(true)
  })
}
