import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
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

  test('leave the monitor alone in its cgroup as soon as a start is told: in company it could not remove that', async () => {
    await using container = await testContainer()

    for (let i = 0; i < CYCLES; i++) {
      const { initPid } = await start(container)
      const members = membersOf(`lxc.monitor.${container.name}`)

      expect(members).toEqual([await monitorOf(initPid)])
      await stop(container)
    }
    expect(cgroupsOf(container.name)).toEqual([])
  })
})

/** Each process in the cgroups of this name, once. */
function membersOf(group: string): number[] {
  const hierarchies = ['', ...readdirSync('/sys/fs/cgroup')].map((name) =>
    join('/sys/fs/cgroup', name, group),
  )
  const members = hierarchies
    .filter((directory) => existsSync(directory))
    .flatMap((directory) => readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n'))
  return [...new Set(members.filter((pid) => pid !== ''))].map(Number)
}

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
