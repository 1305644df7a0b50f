import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { Connection, type Driver, parseConnectUri } from '@covirt/core'
import { parseDomain } from '@covirt/xml'
import { expect, test } from '@jest/globals'
import { canRunQemu, describeWhen, uniqueName } from '../../../test/fixtures/index.js'
import { qemuProvider } from '../src/index.js'
import { firmwareXml } from './guests.js'
import { QemuWorld } from './qemu-world.js'

const run = promisify(execFile)

interface Machine {
  readonly machine: string
  readonly elements?: string
  readonly os?: string
  readonly devices: (path: (name: string) => string) => string
}

const disk = (target: string, source: string, type = 'raw', device = 'disk') =>
  `<disk type='file' device='${device}'><driver name='qemu' type='${type}' cache='none' discard='unmap'/>
   <source file='${source}'/>${target}</disk>`

const common = `
  <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
  <channel type='unix'><target type='virtio' name='org.example.a,b'/></channel>
  <console type='pty'><target type='serial'/></console>
  <console type='pty'><target type='virtio'/></console>
  <serial type='null'/>
  <rng model='virtio'><rate bytes='1024' period='500'/><backend model='random'>/dev/urandom</backend></rng>
  <rng model='virtio'><backend model='builtin'/></rng>
  <memballoon model='virtio' autodeflate='on' freePageReporting='on'/>
  <interface type='user'><model type='virtio'/><mtu size='1400'/><link state='down'/></interface>`

const onPci = `
  <graphics type='vnc' autoport='yes' passwd='se,cret' sharePolicy='force-shared'/>
  <video><model type='virtio' heads='2'/></video>
  <input type='tablet' bus='usb'/><input type='keyboard' bus='usb'/><input type='mouse' bus='ps2'/>
  <input type='tablet' bus='virtio'/>
  <interface type='user'><model type='e1000'/><boot order='3'/></interface>
  <interface type='user'><model type='rtl8139'/><ip family='ipv4' address='172.17.2.0' prefix='24'/></interface>
  <watchdog model='i6300esb' action='pause'/>`

const elements = `<genid>3f2b9d11-7c4e-4a58-9e60-b1d8c7a5f204</genid>
  <currentMemory unit='MiB'>48</currentMemory>
  <features><acpi/><apic/><vmport state='off'/><vmcoreinfo state='on'/></features>
  <cpu mode='custom'><model>Nehalem</model><feature policy='disable' name='x2apic'/></cpu>
  <clock offset='localtime'><timer name='rtc' tickpolicy='catchup'/><timer name='hpet' present='no'/></clock>
  <pm><suspend-to-mem enabled='no'/><suspend-to-disk enabled='no'/></pm>`

const machines: readonly Machine[] = [
  {
    machine: 'pc',
    elements,
    os: "<bootmenu enable='yes' timeout='10'/>",
    devices: (path) => `${common}${onPci}
      ${disk("<target dev='vda' bus='virtio'/><boot order='1'/>", path('q,c=o.qcow2'), 'qcow2')}
      ${disk("<target dev='hda' bus='ide'/><serial>S1</serial>", path('one.raw'))}
      ${disk("<target dev='hdc' bus='ide'/><boot order='2'/>", path('two.raw'), 'raw', 'cdrom')}
      ${disk("<target dev='sdc' bus='sata'/>", path('three.raw'))}`,
  },
  {
    machine: 'q35',
    elements,
    devices: (path) => `${common}${onPci}
      <controller type='pci' index='0' model='pcie-root'/>
      <controller type='pci' index='1' model='pcie-root-port'/>
      <controller type='usb' index='0' model='qemu-xhci'/>
      <controller type='virtio-serial' index='0' ports='8'/>
      <panic model='pvpanic'/>
      <disk type='file' device='disk'><driver type='qcow2'/><source file='${path('q,c=o.qcow2')}'/>
        <target dev='vda'/><address type='pci' bus='1' slot='0'/></disk>
      ${disk("<target dev='sda' bus='sata'/>", path('one.raw'))}
      <disk type='file' device='cdrom'><target dev='sdb' bus='sata'/></disk>`,
  },
  {
    machine: 'microvm',
    devices: (path) => `${common}
      ${disk("<target dev='vda'/>", path('q,c=o.qcow2'), 'qcow2')}
      ${disk("<target dev='vdb'/><readonly/>", path('one.raw'))}
      <input type='keyboard' bus='virtio'/>`,
  },
]

describeWhen(canRunQemu(), 'real QEMU', () => {
  test.each(machines)(
    'takes all devices there are on $machine',
    async ({ machine, elements, os, devices }) => {
      await using world = await QemuWorld.make('qemu', { agent: false })
      await using conn = await world.open()
      const path = (name: string) => world.path(name)
      await run('qemu-img', ['create', '-f', 'qcow2', path('q,c=o.qcow2'), '1M'])
      for (const name of ['one.raw', 'two.raw', 'three.raw'])
        await writeFile(path(name), Buffer.alloc(1 << 20))
      const xml = await firmwareXml({
        name: uniqueName(machine),
        machine,
        elements,
        os,
        devices: devices(path),
      })

      const domain = await conn.domains.create(xml)
      const live = parseDomain(await domain.xml())
      const info = await domain.info()
      await domain.destroy()

      expect(live.devices.disks.map(({ alias }) => alias)).toContain('virtio-disk0')
      expect(info.memoryKib).toBe(elements === undefined ? 65536 : 49152)
    },
  )

  test('tells in live XML which port VNC has', async () => {
    await using world = await QemuWorld.make('qemu', { agent: false })
    await using conn = await world.open()
    const vnc = "<graphics type='vnc' port='-1' autoport='yes'/>"
    const domain = await conn.domains.define(await firmwareXml({ name: uniqueName('vnc'), devices: vnc }))
    await domain.start()
    const [live] = parseDomain(await domain.xml()).devices.graphics
    const [inactive] = parseDomain(await domain.xml({ inactive: true })).devices.graphics
    await domain.destroy()
    expect(live?.type === 'vnc' && live.port).toBeGreaterThanOrEqual(5900)
    expect(inactive?.type === 'vnc' && inactive.port).toBe(-1)
  })

  test('writes what the guest says to a log file, too', async () => {
    await using world = await QemuWorld.make('qemu', { agent: false })
    await using conn = await world.open()
    const xml = await firmwareXml({ name: uniqueName('log') })
    const log = world.path('serial.log')
    const logged = xml.replace(
      "<serial type='pty'/>",
      `<serial type='pty'><log file='${log}' append='off'/></serial>`,
    )
    const domain = await conn.domains.create(logged)
    await world.ready(domain)
    await domain.destroy()
    expect(await world.read('serial.log')).toContain('FX-READY rom machine=pc ram=64M')
  })

  test('works below a directory deeper than a socket address can tell', async () => {
    await using world = await QemuWorld.make('qemu', { agent: false })
    const deep = world.path(Array(6).fill('a-directory-with-a-long-name').join('/'))
    await using conn = new Connection<Driver>(
      await qemuProvider.open(parseConnectUri(`qemu:///system?root=${deep}`)),
    )
    const domain = await conn.domains.create(await firmwareXml({ name: uniqueName('deep') }))
    await world.ready(domain)
    await domain.destroy()
    expect(await conn.domains.list()).toEqual([])
  })
})
