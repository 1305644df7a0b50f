import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { open } from 'covirt'
import type { Arena, Contestant } from './contestant.js'
import { startDaemon } from './daemon.js'
import { unpackedPeers, withPeers } from './unpacked-peers.js'

const drivers = 'lib/x86_64-linux-gnu/libvirt/connection-driver'

/** Its LXC driver takes a mounted hierarchy of version 2 for all that there is, and finds no controllers in it. */
const script = `${withPeers}
umount /sys/fs/cgroup/unified 2>/dev/null || true
mount -t tmpfs tmpfs /run
mkdir -p /run/lock
mkdir -p "$2/etc" "$2/var/lib" "$2/var/log" "$2/var/cache"
mount --bind "$2/etc" /etc/libvirt
mount --bind "$2/var" /var
exec libvirtd --config "$2/libvirtd.conf"
`

/** libvirt's LXC driver, over the wire by covirt's own client: without the time that virsh takes to start. */
export async function libvirtLxc({ rootfs, directory }: Arena): Promise<Contestant> {
  const usr = await unpackedPeers()
  const place = join(directory, 'libvirt')
  await mkdir(join(place, 'drivers'), { recursive: true })
  await cp(join(usr, drivers, 'libvirt_driver_lxc.so'), join(place, 'drivers/libvirt_driver_lxc.so'))
  await mkdir(join(place, 'sockets'))
  await writeFile(
    join(place, 'libvirtd.conf'),
    `unix_sock_dir = "${join(place, 'sockets')}"\nauth_unix_rw = "none"\nauth_unix_ro = "none"\n`,
  )
  const socket = join(place, 'sockets/libvirt-sock')
  const daemon = await startDaemon(script, {
    parameters: [usr, place],
    socket,
    env: { LIBVIRT_DRIVER_DIR: join(place, 'drivers') },
  })
  try {
    const connection = await open(`lxc+unix:///system?socket=${socket}`)
    const domain =
      await connection.domains.define(`<domain type='lxc'><name>cv-bench</name><memory unit='MiB'>64</memory>
      <os><type arch='x86_64'>exe</type><init>/sbin/init</init></os>
      <devices><emulator>/usr/lib/libvirt/libvirt_lxc</emulator>
      <filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem><console type='pty'/></devices></domain>`)
    return {
      name: 'libvirt',
      // By force: its request to go down is SIGTERM, at which this init restarts as many do.
      start: () => domain.start(),
      stop: () => domain.destroy(),
      cycle: async () => {
        await domain.destroy()
        await domain.start()
      },
      freeze: () => domain.suspend(),
      thaw: () => domain.resume(),
      async [Symbol.asyncDispose]() {
        if (await domain.isActive()) await domain.destroy()
        await connection.close()
        await daemon[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await daemon[Symbol.asyncDispose]()
    throw error
  }
}
