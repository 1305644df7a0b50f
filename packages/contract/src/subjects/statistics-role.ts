import { statisticsParts } from '@covirt/core'
import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** The role `statistics`. */
export function statisticsRole({ test, onOneGuest }: Suite): void {
  onOneGuest('plain', 'a guest has used processors and memory', async (domain) => {
    const { vcpus, memory } = await domain.statistics()
    expect(vcpus?.map(({ number }) => number)).toEqual(vcpus?.map((_, index) => index))
    if (vcpus) expect(vcpus).toHaveLength((await domain.info()).vcpus)
    expect(memory?.actualKib).toBeGreaterThan(0n)
  })

  onOneGuest('plain', 'what has been counted never grows less', async (domain) => {
    const used = async () =>
      (await domain.statistics({ parts: ['vcpus'] })).vcpus?.map(({ timeNs }) => timeNs) ?? []
    const before = await used()
    const after = await used()
    for (const [index, timeNs] of after.entries()) expect(timeNs).toBeGreaterThanOrEqual(before[index] ?? 0n)
  })

  onOneGuest('plain', 'only the parts are told that were asked for', async (domain) => {
    const all = Object.keys(await domain.statistics())
    expect(all).toEqual(expect.arrayContaining(['blocks', 'interfaces', 'memory']))
    for (const part of statisticsParts) {
      const told = Object.keys(await domain.statistics({ parts: [part] }))
      expect(told).toEqual(all.filter((each) => each === part))
    }
    expect(await domain.statistics({ parts: [] })).toEqual({})
  })

  test('a paused guest has its statistics, too', async (scene) => {
    const domain = await scene.paused()
    expect((await domain.statistics({ parts: ['memory'] })).memory?.actualKib).toBeGreaterThan(0n)
  })
}
