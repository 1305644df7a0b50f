import { unlimitedMemoryKib } from '@covirt/core'
import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

const both = { live: true, config: true }

/** The role `tuning`. */
export function tuningRole({ test, needing }: Suite): void {
  test('the memory that a definition gives is changed up to what there can be', async (scene) => {
    const domain = await scene.define({ memoryKib: 65_536 })
    const { maxMemoryKib } = await domain.info()
    const less = maxMemoryKib - 1024
    await domain.setMemory(less)
    expect(await domain.xml()).toMatch(new RegExp(`<currentMemory unit='KiB'>${less}<`))
    expect((await domain.info()).maxMemoryKib).toBe(maxMemoryKib)
    for (const memoryKib of [0, maxMemoryKib + 1])
      await scene.refuses('INVALID_ARG', () => domain.setMemory(memoryKib))
    await domain.setMaxMemory(less)
    expect((await domain.info()).maxMemoryKib).toBe(less)
    await scene.refuses('INVALID_ARG', () => domain.setMemory(maxMemoryKib))
    await scene.refuses('INVALID_ARG', () => domain.setMaxMemory(0))
  })

  needing(
    'tuning',
    'the memory of a guest is changed, and that of its definition where so asked',
    async (scene) => {
      const domain = await scene.running({ memoryKib: 65_536 })
      const { maxMemoryKib } = await domain.info()
      const [less, lesser] = [maxMemoryKib - 1024, maxMemoryKib - 2048]
      await domain.setMemory(less)
      expect(await domain.xml()).toContain(`<currentMemory unit='KiB'>${less}<`)
      expect(await domain.xml({ inactive: true })).not.toContain(`>${less}<`)
      await domain.setMemory(lesser, both)
      expect(await domain.xml()).toContain(`<currentMemory unit='KiB'>${lesser}<`)
      expect(await domain.xml({ inactive: true })).toContain(`<currentMemory unit='KiB'>${lesser}<`)
      await scene.refuses('INVALID_ARG', () => domain.setMemory(maxMemoryKib + 1))
    },
  )

  test('how many processors there are is changed up to what there can be', async (scene) => {
    const domain = await scene.define()
    await domain.setVcpus(4, { maximum: true })
    expect(await domain.getVcpus({ maximum: true })).toBe(4)
    await domain.setVcpus(2)
    expect(await domain.getVcpus()).toBe(2)
    expect((await domain.info()).vcpus).toBe(2)
    await domain.setVcpus(1, { config: true, maximum: true })
    expect(await domain.getVcpus()).toBe(1)
    await scene.refuses('INVALID_ARG', () => domain.setVcpus(2))
    await scene.refuses('INVALID_ARG', () => domain.setVcpus(0))
  })

  test('all parameters that there are have values, and those that were set keep them', async (scene) => {
    const domain = await scene.define()
    const scheduler = await domain.getSchedulerParameters()
    expect(Object.values(scheduler)).not.toContain(undefined)
    if (scheduler.shares === undefined) return
    await domain.setSchedulerParameters({ shares: 2048n })
    expect(await domain.getSchedulerParameters()).toEqual({ ...scheduler, shares: 2048n })
    expect(await domain.xml()).toContain('<shares>2048</shares>')
    await scene.reopen()
    expect((await (await scene.again(domain)).getSchedulerParameters()).shares).toBe(2048n)
  })

  test('a limit of memory is set, and taken away', async (scene) => {
    const domain = await scene.define()
    const before = await domain.getMemoryParameters()
    if (before.softLimitKib === undefined) return
    await domain.setMemoryParameters({ softLimitKib: 32_768n })
    expect(await domain.getMemoryParameters()).toEqual({ ...before, softLimitKib: 32_768n })
    await domain.setMemoryParameters({ softLimitKib: unlimitedMemoryKib })
    expect(await domain.getMemoryParameters()).toEqual({ ...before, softLimitKib: unlimitedMemoryKib })
    expect(await domain.xml()).not.toContain('soft_limit')
  })

  test('the weight of a disk is set, and taken away', async (scene) => {
    const domain = await scene.define()
    const before = await domain.getBlkioParameters()
    if (before.devices === undefined || before.weight === undefined) return
    const device = { path: '/dev/null', readBytesSec: 1_048_576n }
    await domain.setBlkioParameters({ weight: 300, devices: [device] })
    expect(await domain.getBlkioParameters()).toMatchObject({ weight: 300, devices: [device] })
    await domain.setBlkioParameters({ devices: [{ path: '/dev/null', writeIopsSec: 100 }] })
    expect(await domain.getBlkioParameters()).toMatchObject({
      weight: 300,
      devices: [{ ...device, writeIopsSec: 100 }],
    })
    const none = { path: '/dev/null', readBytesSec: 0n, writeIopsSec: 0 }
    await domain.setBlkioParameters({ weight: 0, devices: [none] })
    expect(await domain.getBlkioParameters()).toEqual(before)
  })

  needing('tuning', 'what a guest may use is changed while it runs, until it ends', async (scene) => {
    const domain = await scene.running()
    const before = await domain.getSchedulerParameters()
    if (before.shares === undefined) return
    await domain.setSchedulerParameters({ shares: 512n })
    expect((await domain.getSchedulerParameters()).shares).toBe(512n)
    expect(await domain.getSchedulerParameters({ config: true })).toEqual(before)
    expect(await domain.xml()).toContain('<shares>512</shares>')
    await domain.destroy()
    await domain.start()
    expect(await domain.getSchedulerParameters()).toEqual(before)
  })

  needing('tuning', 'the memory of a guest is known to the next connection', async (scene) => {
    const domain = await scene.running({ memoryKib: 65_536 })
    const less = (await domain.info()).maxMemoryKib - 1024
    await domain.setMemory(less)
    await scene.reopen()
    const again = await scene.again(domain)
    expect(await again.xml()).toContain(`<currentMemory unit='KiB'>${less}<`)
    expect(await again.xml({ inactive: true })).not.toContain(`>${less}<`)
  })

  needing('tuning', 'what was changed of a guest is known to the next connection', async (scene) => {
    const domain = await scene.running()
    const { shares } = await domain.getSchedulerParameters()
    if (shares === undefined) return
    await domain.setSchedulerParameters({ shares: 512n }, both)
    await scene.reopen()
    const again = await scene.again(domain)
    expect((await again.getSchedulerParameters({ live: true })).shares).toBe(512n)
    expect((await again.getSchedulerParameters({ config: true })).shares).toBe(512n)
  })

  test('a domain that is off has no guest to change or to ask', async (scene) => {
    const domain = await scene.define()
    await scene.refuses('OPERATION_INVALID', () => domain.setMemory(1024, { live: true }))
    await scene.refuses('OPERATION_INVALID', () => domain.setVcpus(1, both))
    const { shares } = await domain.getSchedulerParameters()
    if (shares !== undefined)
      await scene.refuses('OPERATION_INVALID', () => domain.setSchedulerParameters({ shares: 2n }, both))
    await scene.refuses('OPERATION_INVALID', () => domain.getSchedulerParameters({ live: true }))
    await scene.refuses('OPERATION_INVALID', () => domain.getVcpus({ live: true }))
  })

  test('a transient domain has no definition to change or to ask', async (scene) => {
    const domain = await scene.create()
    await scene.refuses('OPERATION_INVALID', () => domain.setVcpus(1, { config: true }))
    await scene.refuses('OPERATION_INVALID', () => domain.getMemoryParameters({ config: true }))
  })

  test('a parameter that no domain of the driver has is refused', async (scene) => {
    const domain = await scene.define()
    const known = await domain.getSchedulerParameters()
    if (known.iothreadPeriodUs !== undefined) return
    await scene.refuses('CONFIG_UNSUPPORTED', () =>
      domain.setSchedulerParameters({ iothreadPeriodUs: 10_000n }),
    )
  })
}
