import { mkdir, writeFile } from 'node:fs/promises'
import {
  busyboxRootfs,
  firmwareGuest,
  type TempRoot,
  tempRoot,
  uniqueName,
} from '../../../test/fixtures/index.js'
import { type DaemonOptions, type DaemonProcess, startDaemon, virsh } from './daemon-process.js'

/** A daemon with the definitions of a container and a virtual machine, and where both are. */
export interface GuestPair extends AsyncDisposable {
  readonly root: TempRoot
  readonly container: string
  readonly machine: string
  /** Files with their definitions. */
  readonly files: Readonly<Record<'container' | 'machine', string>>
  /** The one that was started last. */
  readonly daemon: DaemonProcess
  /** The directory in which the daemon has libvirt's sockets. */
  readonly libvirt: string
  startDaemon(): Promise<void>
}

/** Starts a daemon with real drivers; the guests are yet to be defined. `config` goes before what says where its sockets are. */
export async function guestPair(options: DaemonOptions = {}): Promise<GuestPair> {
  const root = await tempRoot()
  const [container, machine] = [uniqueName('container'), uniqueName('machine')]
  const files = { container: root.join('files/container.xml'), machine: root.join('files/machine.xml') }
  await mkdir(root.join('files'))
  const rootfs = await busyboxRootfs(root.join('files/rootfs'))
  await writeFile(
    files.container,
    `<domain type='lxc'><name>${container}</name><memory unit='MiB'>32</memory>
      <os><type>exe</type><init>/sbin/init</init></os>
      <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem></devices></domain>`,
  )
  await writeFile(
    files.machine,
    `<domain type='qemu'><name>${machine}</name><memory unit='MiB'>32</memory>
      <os><type arch='x86_64' machine='pc'>hvm</type><loader type='rom'>${await firmwareGuest()}</loader></os>
      <features><acpi/></features>
      <devices><serial type='pty'/><console type='pty'/></devices></domain>`,
  )
  const libvirt = root.join('libvirt')
  const { config = '', ...others } = options
  const start = () =>
    startDaemon({
      ...{ root: root.path, drivers: ['lxc', 'qemu'], args: ['--libvirt-socket'], ...others },
      config: `${config}[sockets]\nlibvirt_directory = "${libvirt}"\n`,
    })
  let daemon = await start()
  return {
    root,
    container,
    machine,
    files,
    libvirt,
    get daemon() {
      return daemon
    },
    startDaemon: async () => {
      daemon = await start()
    },
    async [Symbol.asyncDispose]() {
      for (const name of [container, machine]) await virsh(daemon.uri('covirt'), 'destroy', name)
      await daemon[Symbol.asyncDispose]()
      await root[Symbol.asyncDispose]()
    },
  }
}

/** Defines and starts both. */
export async function startPair({ daemon, container, machine, files }: GuestPair): Promise<void> {
  const uri = daemon.uri('covirt')
  for (const args of [
    ['define', files.container],
    ['define', files.machine],
    ['start', container],
    ['start', machine],
  ]) {
    const { code, stderr } = await virsh(uri, ...args)
    if (code !== 0) throw new Error(`virsh ${args.join(' ')}: ${stderr}`)
  }
}
