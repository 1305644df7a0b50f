import { describe, expect, test } from '@jest/globals'
import { findCgroups } from '../ts/cgroups.js'

const MOUNTINFO = `30 20 0:26 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
31 20 0:27 /outer /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
32 20 0:28 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
33 20 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw`

describe('the cgroups of a container', () => {
  test('are found below their mounts, one for each controller', () => {
    const membership =
      '4:memory:/lxc.payload.web\n3:cpu,cpuacct:/outer/lxc.payload.web\n0::/lxc.payload.web\n'

    expect(Object.fromEntries(findCgroups(membership, MOUNTINFO))).toEqual({
      memory: '/sys/fs/cgroup/memory/lxc.payload.web',
      cpu: '/sys/fs/cgroup/cpu,cpuacct/lxc.payload.web',
      cpuacct: '/sys/fs/cgroup/cpu,cpuacct/lxc.payload.web',
      '': '/sys/fs/cgroup/unified/lxc.payload.web',
    })
  })

  test('are those of the container where its init moved further down', () => {
    const membership = '1:name=systemd:/lxc.payload.web-1/init.scope\n'

    expect(Object.fromEntries(findCgroups(membership, MOUNTINFO))).toEqual({
      'name=systemd': '/sys/fs/cgroup/systemd/lxc.payload.web-1',
    })
  })

  test('leave out a controller that is not mounted', () => {
    expect(findCgroups('9:pids:/lxc.payload.web\n', MOUNTINFO).size).toBe(0)
  })
})
