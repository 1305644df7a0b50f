import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { open } from 'covirt'
import {
  busyboxRootfs,
  canRunLxc,
  canRunQemu,
  canRunVirsh,
  describeWhen,
  firmwareGuest,
  type TempRoot,
  tempRoot,
  uniqueName,
} from '../../../test/fixtures/index.js'
import { type DaemonProcess, run, startDaemon, virsh } from './daemon-process.js'

const command = fileURLToPath(new URL('../../covirt/bin/covirt.js', import.meta.url))

describeWhen(canRunLxc() ?? canRunQemu() ?? canRunVirsh(), 'a container and a virtual machine', () => {
  const container = uniqueName('container')
  const machine = uniqueName('machine')
  let root: TempRoot
  let daemon: DaemonProcess

  beforeAll(async () => {
    root = await tempRoot()
    daemon = await startDaemon({ root: root.path, drivers: ['lxc', 'qemu'] })
    await mkdir(root.join('files'))
    const rootfs = await busyboxRootfs(root.join('files/rootfs'))
    await writeFile(
      root.join('files/container.xml'),
      `<domain type='lxc'><name>${container}</name><memory unit='MiB'>32</memory>
        <os><type>exe</type><init>/sbin/init</init></os>
        <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem></devices></domain>`,
    )
    await writeFile(
      root.join('files/machine.xml'),
      `<domain type='qemu'><name>${machine}</name><memory unit='MiB'>32</memory>
        <os><type arch='x86_64' machine='pc'>hvm</type><loader type='rom'>${await firmwareGuest()}</loader></os>
        <features><acpi/></features>
        <devices><serial type='pty'/><console type='pty'/></devices></domain>`,
    )
  })

  afterAll(async () => {
    for (const name of [container, machine]) await virsh(daemon.uri('covirt'), 'destroy', name)
    await daemon[Symbol.asyncDispose]()
    await root[Symbol.asyncDispose]()
  })

  const names = (stdout: string) => stdout.split('\n').filter(Boolean).sort()
  const both = [container, machine].sort()
  const local = () => `covirt:///system?root=${root.path}`

  test('are defined, started and listed side by side by virsh', async () => {
    for (const [name, file] of [
      [container, 'container.xml'],
      [machine, 'machine.xml'],
    ] as const) {
      await expect(virsh(daemon.uri('covirt'), 'define', root.join('files', file))).resolves.toMatchObject({
        code: 0,
      })
      await expect(virsh(daemon.uri('covirt'), 'start', name)).resolves.toMatchObject({ code: 0, stderr: '' })
    }
    const list = await virsh(daemon.uri('covirt'), 'list', '--name')
    expect(names(list.stdout)).toEqual(both)
  })

  test('are seen by the drivers that they belong to', async () => {
    const [lxc, qemu] = await Promise.all(
      ['lxc', 'qemu'].map(async (scheme) => (await virsh(daemon.uri(scheme), 'list', '--name')).stdout),
    )
    expect([names(lxc ?? ''), names(qemu ?? '')]).toEqual([[container], [machine]])
  })

  test('are found by the library and the command through the daemon that owns them', async () => {
    await using connection = await open(local())
    expect(connection.uri).toContain(`socket=${daemon.socket}`)
    const domains = await connection.domains.list()
    expect(domains.map(({ name }) => name).sort()).toEqual(both)

    const { stdout } = await run(process.execPath, [command, '-c', local(), 'list', '--name'])
    expect(names(stdout)).toEqual(both)
  })

  test('live on when the daemon is killed, and are found again by the next', async () => {
    const ids = async () =>
      Promise.all(
        [container, machine].map(async (name) => (await virsh(daemon.uri('covirt'), 'domid', name)).stdout),
      )
    const before = await ids()
    await daemon.end('SIGKILL')

    daemon = await startDaemon({ root: root.path, drivers: ['lxc', 'qemu'] })

    await expect(ids()).resolves.toEqual(before)
    expect(before).toEqual([expect.stringMatching(/^\d+\n$/), expect.stringMatching(/^\d+\n$/)])
  })

  test('live on when the daemon ends, and then belong to whoever opens them', async () => {
    await expect(daemon.end()).resolves.toBe(0)
    {
      await using connection = await open(local())
      expect(connection.type).toBe('COVIRT')
      expect(connection.uri).toBe(local())
      expect((await connection.domains.list({ active: true })).map(({ name }) => name).sort()).toEqual(both)
    }
    daemon = await startDaemon({ root: root.path, drivers: ['lxc', 'qemu'] })
  })

  test('go down cleanly when virsh asks them to', async () => {
    await using connection = await open(local())
    for (const name of both) {
      const domain = await connection.domains.lookupByName(name)
      const off = domain.waitFor('shutoff', { signal: AbortSignal.timeout(20_000) })
      await expect(virsh(daemon.uri('covirt'), 'shutdown', name)).resolves.toMatchObject({ code: 0 })
      await expect(off).resolves.toMatchObject({ reason: 'shutdown' })
    }
  })
})
