import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { FIXTURES } from '../fixtures/build-cache.js'
import { cpioOf } from '../fixtures/cpio.js'
import { linuxGuest, stageModules } from '../fixtures/linux-guest.js'
import { canRunLinuxGuest } from '../fixtures/requirements.js'
import { tempRoot } from '../fixtures/temp-root.js'
import { repository, type TestHost } from './test-host.js'

const run = promisify(execFile)
const virtiofsd = '/usr/lib/qemu/virtiofsd'
const packageDirectory = join(FIXTURES, '../../.cache/packages')
const fixtures = join(FIXTURES, '../../.cache/fixtures')
const kept = /^(busybox-rootfs|fxrom)-/
const notCopied = /^\.(cache|git)$|^node_modules$/
/** Half of all that there is. */
const onlyForChecks = /^(@arethetypeswrong|@biomejs|@typescript|knip|publint|typescript)$/
/** What is no part of Debian's kernel, of what this host's file systems and containers need. */
const modules = [
  ...['virtio_pci', 'virtiofs', 'overlay', 'fuse', 'loop', 'bfq'],
  ...['veth', 'bridge', 'macvlan', 'dummy', 'tun'],
]
const ended = /^covirt-ended (\d+)/

/** This host's files, with what is written kept in memory, then the program; the machine ends with it. */
const earlyInit = `#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
for module in $($b cat /lib/modules/order); do $b insmod /lib/modules/$module; done
$b mount -t virtiofs -o ro host /host
$b mount -t tmpfs tmpfs /layers
$b mkdir /layers/upper /layers/work
$b mount -t overlay -o lowerdir=/host,upperdir=/layers/upper,workdir=/layers/work overlay /root
$b cp /run-tests /root/run-tests
$b mount --move /proc /root/proc
$b mount --move /dev /root/dev
exec $b switch_root /root /run-tests
`

/** The disk is for file systems with id-mapped mounts, too, which an overlay has none of. */
const runTests = `#!/bin/sh
mount -t sysfs sys /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /run
mkdir -p /dev/pts /dev/shm /disk
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount /dev/nvme0n1 /disk
mount --bind /disk/repository @repository@
mkdir /disk/scratch
ip link set lo up
cd @repository@
ulimit -n 65536
HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb TMPDIR=/disk/scratch @command@
echo "covirt-ended $?"
sync
echo o > /proc/sysrq-trigger
sleep 60
`

/** An emulated machine with Debian's kernel, where version 2 of control groups has all controllers, on this host's files. */
export const cgroup2Machine: TestHost = {
  about: 'control groups of version 2 alone with all controllers, in an emulated machine',
  requires: () =>
    canRunLinuxGuest() ??
    (existsSync(virtiofsd)
      ? undefined
      : 'virtiofsd is not installed (Debian 12: apt install qemu-system-common)'),
  emulated: true,
  async run(command) {
    await using place = await tempRoot()
    const { kernel } = await linuxGuest()
    await writeFile(place.join('initrd'), await initramfs(place.join('root'), command))
    await makeDisk(place.join('disk'), place.join('files'))
    const server = serve(place.join('host'), '/')
    try {
      await appears(place.join('host'))
      return await boot(machineArguments(place.join, kernel))
    } finally {
      await end(server)
    }
  },
}

async function initramfs(root: string, command: readonly string[]): Promise<Buffer> {
  for (const directory of ['bin', 'proc', 'dev', 'host', 'layers', 'root', 'lib/modules', 'unpacked'])
    await mkdir(join(root, directory), { recursive: true })
  await copyFile('/bin/busybox', join(root, 'bin/busybox'))
  const image = (await readdir(packageDirectory)).find((name) => name.startsWith('linux-image-'))
  await run('dpkg-deb', ['-x', join(packageDirectory, image ?? ''), join(root, 'unpacked')])
  await stageModules(join(root, 'unpacked'), root, modules)
  await rm(join(root, 'unpacked'), { recursive: true })
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const fill = (script: string) =>
    script.replaceAll('@repository@', repository).replace('@command@', () => quoted)
  await writeFile(join(root, 'init'), fill(earlyInit), { mode: 0o755 })
  await writeFile(join(root, 'run-tests'), fill(runTests), { mode: 0o755 })
  await symlink('busybox', join(root, 'bin/sh'))
  await chmod(root, 0o755)
  return cpioOf(root)
}

function serve(socket: string, directory: string): ChildProcess {
  const options = [
    '-o',
    `source=${directory}`,
    '-o',
    'cache=always',
    '-o',
    'sandbox=chroot',
    '-o',
    'no_posix_lock',
  ]
  return spawn(virtiofsd, [`--socket-path=${socket}`, ...options], { stdio: 'ignore' })
}

async function appears(path: string): Promise<void> {
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 10))
}

function machineArguments(join: (name: string) => string, kernel: string): readonly string[] {
  return [
    ...[
      '-nodefaults',
      '-no-user-config',
      '-display',
      'none',
      '-no-reboot',
      '-bios',
      '/usr/share/qemu/qboot.rom',
    ],
    ...['-machine', 'q35,memory-backend=memory', '-accel', 'tcg', '-cpu', 'max', '-smp', '2', '-m', '3G'],
    ...['-object', 'memory-backend-memfd,id=memory,size=3G,share=on', '-serial', 'stdio'],
    ...['-kernel', kernel, '-initrd', join('initrd')],
    ...[
      '-append',
      'console=ttyS0 quiet panic=-1 tsc=reliable mitigations=off noreplace-smp cryptomgr.notests lsm=none audit=0',
    ],
    ...[
      '-drive',
      `if=none,id=disk,file=${join('disk')},format=raw,cache=unsafe`,
      '-device',
      'nvme,drive=disk,serial=1',
    ],
    ...['-chardev', `socket,id=host,path=${join('host')}`],
    ...['-device', 'vhost-user-fs-pci,chardev=host,tag=host'],
  ]
}

/** Resolves to the exit code of what ran in it. */
async function boot(args: readonly string[]): Promise<number> {
  const machine = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let code: number | undefined
  createInterface({ input: machine.stdout }).on('line', (line) => {
    const found = ended.exec(line)
    // What comes then is about file systems that are taken away.
    if (found) code = Number(found[1])
    else if (code === undefined) process.stderr.write(`${line}\n`)
  })
  await once(machine, 'close')
  return code ?? 1
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill()
  await once(child, 'exit')
}

/**
 * A disk with a copy of the repository, that work on it meanwhile leaves alone: Jest looks at all of its files, which takes
 * long over a share. Of what is cached only what takes long to make.
 */
async function makeDisk(disk: string, files: string): Promise<void> {
  const copy = join(files, 'repository')
  await mkdir(copy, { recursive: true })
  await copyEntries(repository, copy, notCopied)
  await copyEntries(join(repository, 'node_modules'), join(copy, 'node_modules'), onlyForChecks)
  await mkdir(join(copy, '.cache/fixtures'), { recursive: true })
  for (const name of await readdir(fixtures))
    if (kept.test(name)) await run('cp', ['-a', join(fixtures, name), join(copy, '.cache/fixtures')])
  await run('mkfs.ext4', ['-q', '-d', files, disk, '6G'])
  await rm(files, { recursive: true })
}

async function copyEntries(from: string, to: string, without: RegExp): Promise<void> {
  const names = (await readdir(from)).filter((name) => !without.test(name))
  await mkdir(to, { recursive: true })
  await run('cp', ['-a', ...names.map((name) => join(from, name)), to])
}
