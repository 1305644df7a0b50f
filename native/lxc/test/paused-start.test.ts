import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { isFrozen, reboot, setFrozen, start, state, stop, waitAfterExit } from '../ts/index.js'
import { booted } from './support/booted.js'
import { cgroupsOf } from './support/cgroups-of.js'
import { exitOf } from './support/exit-of.js'
import { holdersOf } from './support/holders-of.js'
import { startUntraceable } from './support/start-untraceable.js'
import { testContainer } from './support/test-container.js'

const argv = ['/bin/sh', '-c', 'echo started > /started; exec sleep 1000']

describeWhen(canRunLxc(), 'a paused start', () => {
  test('lets init do nothing before it is thawed, each time', async () => {
    await using container = await testContainer()
    const file = join(container.rootfs, 'started')

    for (let round = 0; round < 20; round++) {
      const { initPid, ranBecause } = await start(container, { argv, paused: true })

      expect(ranBecause).toBeUndefined()
      expect(await isFrozen(initPid)).toBe(true)
      expect(existsSync(file)).toBe(false)
      await setFrozen(initPid, false)
      while (!existsSync(file)) await new Promise(setImmediate)
      await stop(container)
      await rm(file)
    }
  })

  test('leaves init untraced, and no process of ours', async () => {
    await using container = await testContainer()

    const { initPid } = await start(container, { argv, paused: true })

    expect(await readFile(`/proc/${initPid}/status`, 'utf8')).toMatch(/^TracerPid:\s+0$/m)
    // The program answers before it ends.
    while ((await holdersOf(container)).length > 0) await delay(2)
  })

  test('holds nothing when the container restarts', async () => {
    await using container = await testContainer()
    const { initPid } = await start(container, { paused: true })
    const exited = exitOf(initPid)
    await setFrozen(initPid, false)
    await booted(container)

    await reboot(container)
    await exited
    const after = await waitAfterExit(container, initPid)

    expect(after).toMatchObject({ outcome: 'rebooted' })
    expect(await isFrozen('initPid' in after ? after.initPid : 0)).toBe(false)
  })

  test('says why init was not held where it may not be traced, and leaves no process', async () => {
    await using container = await testContainer()

    const started = await startUntraceable(container)

    expect(started).toMatchObject({ ranBecause: expect.stringContaining('not permitted') })
    expect(await state(container)).toBe('RUNNING')
    expect(await holdersOf(container)).toEqual([])
  })

  test('that fails leaves nothing', async () => {
    await using container = await testContainer()

    const started = start(container, { argv: ['/sbin/nonexistent'], paused: true })

    await expect(started).rejects.toMatchObject({ message: expect.stringContaining('/sbin/nonexistent') })
    expect(await state(container)).toBe('STOPPED')
    expect(await holdersOf(container)).toEqual([])
    expect(cgroupsOf(container.name)).toEqual([])
  })

  test('that is aborted at any moment leaves nothing', async () => {
    await using container = await testContainer()

    for (let delayMs = 0; delayMs < 24; delayMs++) {
      await start(container, { argv, paused: true, signal: AbortSignal.timeout(delayMs) }).then(
        () => stop(container),
        () => {},
      )
    }

    expect(await state(container)).toBe('STOPPED')
    expect(await holdersOf(container)).toEqual([])
    expect(cgroupsOf(container.name)).toEqual([])
  })
})
