import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { bootstrapDebian } from '../fixtures/bootstrap-debian.js'
import { cached } from '../fixtures/build-cache.js'
import { inOwnMounts, repository, type TestHost } from './test-host.js'

/** What the tests of containers use of a host, besides Node.js, which is ours. */
const packages = [
  ...['lxc', 'liblxc1', 'libstdc++6', 'busybox-static', 'gcc', 'libc6-dev', 'iproute2', 'iptables', 'uidmap'],
  ...['rsync', 'e2fsprogs', 'procps', 'kmod', 'python3'],
]

/** The repository and Node.js are shown where they are outside. The kernel's own file systems are this host's. */
const enter = `root=$1 repository=$2 node=$3
shift 3
mount --bind "$root" "$root"
cd "$root"
mkdir -p proc sys dev run tmp outside
mount --rbind /proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mkdir -p "./$repository" "./$(dirname "$node")"
mount --bind "$repository" "./$repository"
touch "./$node"
mount --bind "$node" "./$node"
pivot_root . outside
umount --lazy /outside
cd "$repository"
exec "$@"
`

/** Debian 13 with its liblxc 6.0, on this kernel: bootstrapped once, for a minute and a half. */
export const debian13Root: TestHost = {
  about: 'liblxc 6.0 of Debian 13, in a root of its own',
  requires: () => (existsSync('/usr/bin/mmdebstrap') ? undefined : 'mmdebstrap is not installed'),
  async run(command) {
    const directory = await cached(
      'debian13-root',
      [join(repository, 'test/hosts/debian13-root.ts')],
      (out) => bootstrapDebian(join(out, 'root'), { suite: 'trixie', packages }),
    )
    return inOwnMounts(enter, [join(directory, 'root'), repository, process.execPath, ...command])
  },
}
