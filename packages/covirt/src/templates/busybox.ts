import { execFile } from 'node:child_process'
import { access, chmod, copyFile, mkdir, open, symlink, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { VirError } from '@covirt/core'
import type { Template } from './template.js'

const directories = [
  ...['bin', 'sbin', 'usr/bin', 'usr/sbin', 'dev', 'proc', 'sys', 'run', 'root', 'mnt', 'home'],
  ...['etc/init.d', 'etc/udhcpc', 'var/log'],
]

/** Busybox's init stops the rest by itself; on the console it keeps a shell. */
const inittab = `::sysinit:/etc/init.d/rcS
console::respawn:-/bin/sh
::ctrlaltdel:/bin/reboot
`

const startScript = `#!/bin/sh
[ -e /sys/class/net/lo ] && ip link set lo up
[ -e /sys/class/net/eth0 ] && udhcpc -i eth0 -b -s /etc/udhcpc/default.script >/dev/null 2>&1 &
exit 0
`

/** How udhcpc wants its leases applied (its documentation calls it the "event script"). */
const leaseScript = `#!/bin/sh
case "$1" in
deconfig) ip address flush dev "$interface"; ip link set "$interface" up ;;
bound | renew)
  ip address add "$ip/$mask" dev "$interface" 2>/dev/null
  for gateway in $router; do ip route replace default via "$gateway"; break; done
  : > /etc/resolv.conf
  for server in $dns; do echo "nameserver $server" >> /etc/resolv.conf; done ;;
esac
`

/** A container of one program: the machine's own static busybox, two megabytes, ready at once. */
export const busybox: Template = {
  init: '/sbin/init',
  build: async ({ directory, name, signal, onProgress }) => {
    const program = await findBusybox()
    onProgress(`copying ${program}`)
    for (const path of directories) await mkdir(join(directory, path), { recursive: true })
    await mkdir(join(directory, 'tmp'))
    await chmod(join(directory, 'tmp'), 0o1777)
    await copyFile(program, join(directory, 'bin/busybox'))
    await chmod(join(directory, 'bin/busybox'), 0o755)
    await linkApplets(program, directory, signal)
    await symlink('../bin/busybox', join(directory, 'sbin/init'))
    await writeFile(join(directory, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
    await writeFile(join(directory, 'etc/group'), 'root:x:0:\n')
    await writeFile(join(directory, 'etc/hostname'), `${name}\n`)
    await writeFile(join(directory, 'etc/hosts'), `127.0.0.1 localhost ${name}\n`)
    await writeFile(join(directory, 'etc/inittab'), inittab)
    await writeFile(join(directory, 'etc/init.d/rcS'), startScript, { mode: 0o755 })
    await writeFile(join(directory, 'etc/udhcpc/default.script'), leaseScript, { mode: 0o755 })
  },
}

async function linkApplets(program: string, directory: string, signal: AbortSignal): Promise<void> {
  const { stdout } = await promisify(execFile)(program, ['--list'], { signal })
  const applets = stdout.split('\n').filter((applet) => /^[^/\s]+$/.test(applet) && applet !== 'busybox')
  await Promise.all(applets.map((applet) => symlink('busybox', join(directory, 'bin', applet))))
}

/** A busybox that needs no libraries, as there are none in the container. */
async function findBusybox(): Promise<string> {
  const found: string[] = []
  for (const directory of ['/bin', '/usr/bin', ...(process.env.PATH ?? '').split(delimiter)]) {
    const path = join(directory, 'busybox')
    if (!(await isReadable(path))) continue
    if (await isStatic(path)) return path
    found.push(path)
  }
  throw new VirError(
    'OPERATION_FAILED',
    found[0]
      ? `${found[0]} needs shared libraries, which a container lacks`
      : 'There is no busybox on this machine',
    { hint: 'Install a static one (Debian: apt install busybox-static)' },
  )
}

async function isReadable(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

const programHeaderOffset = { 1: 28, 2: 32 } as const
const interpreterSegment = 3

/** Whether no program header of an ELF file (elf(5)) asks for an interpreter, that is, for ld.so. */
async function isStatic(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer } = await file.read(Buffer.alloc(4096), 0, 4096, 0)
    if (buffer.toString('latin1', 0, 4) !== '\x7fELF') return false
    const is64 = buffer[4] === 2
    const start = is64
      ? Number(buffer.readBigUInt64LE(programHeaderOffset[2]))
      : buffer.readUInt32LE(programHeaderOffset[1])
    const size = buffer.readUInt16LE(is64 ? 54 : 42)
    const count = buffer.readUInt16LE(is64 ? 56 : 44)
    for (let at = start; at < start + size * count && at + 4 <= buffer.length; at += size) {
      if (buffer.readUInt32LE(at) === interpreterSegment) return false
    }
    return true
  } finally {
    await file.close()
  }
}
