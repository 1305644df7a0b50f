import { inOwnMounts, type TestHost } from './test-host.js'

/** In place of whatever is mounted there: liblxc goes by what it finds mounted. */
const mountCgroup2 = `umount --recursive --lazy /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
`

/**
 * This host, seen as one with version 2 of control groups alone. Controllers that its kernel has in version 1 are in
 * neither then: what is left are freezing, and devices by BPF.
 */
export const cgroup2View: TestHost = {
  about: 'control groups of version 2 alone, without the controllers that this host has in version 1',
  requires: () => undefined,
  run: (command) => inOwnMounts(`${mountCgroup2}exec "$@"`, command),
}
