import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { openConsole, start, stop, watchInit } from '../ts/index.js'
import { cgroupsOf } from './support/cgroups-of.js'
import { exitOf } from './support/exit-of.js'
import { monitorOf } from './support/monitor-of.js'
import { testContainer } from './support/test-container.js'

const CYCLES = 20

describeWhen(canRunLxc(), 'twenty starts and stops', () => {
  test('leave no descriptor, no child, no cgroup and no monitor, and this process in its own cgroup', async () => {
    await using container = await testContainer()
    const cycle = async () => {
      const { initPid } = await start(container)
      const monitorGone = exitOf(await monitorOf(initPid))
      const { watch } = await watchInit(container, () => {})
      const terminal = await openConsole(container)
      terminal.close()
      await stop(container)
      watch.close()
      await monitorGone
    }
    await cycle()
    const before = usage()

    for (let i = 0; i < CYCLES; i++) await cycle()

    expect(cgroupsOf(container.name)).toEqual([])
    expect(usage()).toEqual(before)
  })

  test('of an init that ends as it is started leave no cgroup, though who started it is in that still', async () => {
    await using container = await testContainer()

    for (let i = 0; i < CYCLES; i++) {
      // Where that was too short a life, it is told.
      await start(container, { argv: ['/bin/busybox', 'sleep', `0.00${i % 10}`] }).catch(() => {})
      await stop(container)

      expect(cgroupsOf(container.name)).toEqual([])
    }
  })
})

/** What this process holds, and where it is. */
function usage(): { descriptors: number; children: number; cgroups: string } {
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    children: children().length,
    cgroups: readFileSync('/proc/self/cgroup', 'utf8'),
  }
}

/** Those that have ended and were not waited for, too. */
function children(): string[] {
  return readdirSync('/proc/self/task').flatMap((thread) =>
    readFileSync(`/proc/self/task/${thread}/children`, 'utf8')
      .split(' ')
      .filter((pid) => pid !== ''),
  )
}
