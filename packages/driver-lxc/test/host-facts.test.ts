import { describe, expect, test } from '@jest/globals'
import { cgroupMounts, findControllers } from '../src/host/host-facts.js'

describe('the control groups of a host', () => {
  test.each([
    [
      'version 1',
      ['memory', 'cpu', 'cpuset', 'pids', 'devices'],
      '',
      { memory: 1, cpu: 1, cpuset: 1, pids: 1, devices: 1 },
    ],
    ['both, the second without controllers', ['memory', 'devices', ''], '', { memory: 1, devices: 1 }],
    [
      'version 2',
      [''],
      'cpuset cpu io memory pids\n',
      { memory: 2, cpu: 2, cpuset: 2, pids: 2, blkio: 2, devices: 2 },
    ],
    ['version 2 without delegation', [''], '', { devices: 2 }],
  ])('%s', (_, mounted, controllers, found) => {
    expect(findControllers(new Set(mounted), controllers)).toEqual(found)
  })

  test('are found where they are mounted', () => {
    const mounts = cgroupMounts(
      `31 23 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
32 23 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
33 23 0:29 / /proc rw - proc proc rw`,
    )
    expect(mounts.get('cpuacct')).toBe('/sys/fs/cgroup/cpu,cpuacct')
    expect(mounts.get('')).toBe('/sys/fs/cgroup/unified')
  })
})
