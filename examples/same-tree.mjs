// One tree of files as a container, as a virtual machine from a disk image that is made of it, and as one that works on the
// very same files by virtiofs. As root: node examples/same-tree.mjs KERNEL INITRD
//
// The initrd mounts the root. Those of distributions do so from disks, and from virtiofs where that module is in them (Debian:
// a line `virtiofs` in /etc/initramfs-tools/modules, then update-initramfs -u).

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createRootfs, open } from 'covirt'

const [kernel, initrd] = process.argv.slice(2)
const virtiofsd = ['/usr/libexec/virtiofsd', '/usr/lib/qemu/virtiofsd'].find(existsSync)
const place = await mkdtemp(join(tmpdir(), 'covirt-tree-'))
// a container has users of its own, who have to get past it
await chmod(place, 0o711)
const tree = join(place, 'rootfs')
const connection = await open(`covirt:///system?root=${place}`)
try {
  await mkdir(tree)
  await createRootfs(tree, { template: 'busybox', name: 'tree' })
  await run('container', containerXml())
  await promisify(execFile)('mke2fs', ['-q', '-t', 'ext4', '-d', tree, join(place, 'disk'), '64M'])
  await run('disk', machineXml('/dev/vda', 'ext4', diskXml()))
  await withVirtiofsd((socket) => run('virtiofs', machineXml('tree', 'virtiofs', sharedXml(socket))))
  await run('container', containerXml())
} finally {
  for (const guest of await connection.domains.list({ active: true })) await guest.destroy()
  await connection.close()
  await rm(place, { recursive: true })
}

/** Starts a guest that notes in the tree what it is, says what is noted there, and goes off. */
async function run(what, xml) {
  const guest = await connection.domains.create(xml)
  const off = guest.waitFor('shutoff')
  const screen = await guest.openConsole()
  let heard = ''
  screen.on('data', (bytes) => {
    heard += bytes
  })
  const command = `grep -q ${guest.name} /root/guests || echo ${guest.name} >> /root/guests; echo "<<$(cat /root/guests | tr '\\n' ' ')>>"`
  // the shell asks for a line once it is there; of what comes before, much is lost
  while (!heard.includes('# ')) {
    screen.write('\n')
    await delay(100)
  }
  screen.write(`${command}\n`)
  while (!/<<([^$<>]+)>>/.test(heard)) await once(screen, 'data')
  console.log(`${what}: ${/<<([^$<>]+)>>/.exec(heard)[1].trim()}`)
  // a machine needs a program inside that listens to its power button
  if (what === 'container') await guest.shutdown()
  else screen.write('poweroff\n')
  await off
  screen.destroy()
}

function containerXml() {
  return `<domain type='lxc'><name>container</name><memory unit='MiB'>64</memory><os><type>exe</type><init>/sbin/init</init></os>
    <devices><filesystem type='mount'><source dir='${tree}'/><target dir='/'/></filesystem><console type='pty'/></devices></domain>`
}

function machineXml(root, type, { name, device, elements = '' }) {
  return `<domain type='qemu'><name>${name}</name><memory unit='MiB'>256</memory>${elements}
    <os><type arch='x86_64' machine='q35'>hvm</type><kernel>${kernel}</kernel><initrd>${initrd}</initrd>
    <cmdline>root=${root} rootfstype=${type} rw console=ttyS0 quiet</cmdline></os><features><acpi/></features>
    <devices>${device}<serial type='pty'/><console type='pty'/></devices></domain>`
}

function diskXml() {
  const device = `<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${join(place, 'disk')}'/>
    <target dev='vda' bus='virtio'/></disk>`
  return { name: 'disk', device }
}

/** virtiofsd works on the guest's memory: that has to be shared. */
function sharedXml(socket) {
  const elements = "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"
  const device = `<filesystem type='mount'><driver type='virtiofs'/><source socket='${socket}'/><target dir='tree'/></filesystem>`
  return { name: 'shared', device, elements }
}

/** It ends by itself when the machine does. */
async function withVirtiofsd(act) {
  if (virtiofsd === undefined) return console.log('virtiofs: left out, virtiofsd is not installed')
  const socket = join(place, 'virtiofs')
  const child = spawn(
    virtiofsd,
    [`--socket-path=${socket}`, '-o', `source=${tree}`, '-o', 'sandbox=chroot'],
    {
      stdio: 'ignore',
    },
  )
  const ended = once(child, 'exit')
  try {
    while (!existsSync(socket)) await delay(10)
    await act(socket)
  } finally {
    child.kill()
    await ended
  }
}
