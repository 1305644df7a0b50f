import { isVirError } from '@covirt/core'
import { parseDomain } from '@covirt/xml'
import { describe, expect, test } from '@jest/globals'
import { planGuest } from '../src/command-line/guest-plan.js'
import { withDefaults } from '../src/prepare-definition.js'
import { guestXml } from './guests.js'

const nic = (rest: string, attributes = "type='user'") =>
  `<interface ${attributes}><mac address='52:54:00:00:00:01'/>${rest}</interface>`
const disk = (rest: string, attributes = "type='file' device='disk'") => `<disk ${attributes}>${rest}</disk>`
const file = (path: string) => `<source file='${path}'/>`

interface Case {
  readonly what: string
  readonly machine?: string
  readonly type?: 'qemu' | 'kvm'
  readonly os?: string
  readonly elements?: string
  readonly devices?: string
  /** Pieces that stand in the command line one after another. */
  readonly expected: readonly string[]
}

const cases: readonly Case[] = [
  {
    what: 'an emulated pc',
    expected: ['-machine', 'pc,accel=tcg,usb=off,acpi=on,dump-guest-core=off'],
  },
  {
    what: 'a q35 on KVM',
    machine: 'q35',
    type: 'kvm',
    expected: ['-machine', 'q35,accel=kvm,usb=off,acpi=on,dump-guest-core=off'],
  },
  { what: 'KVM without a <cpu>', type: 'kvm', expected: ['-cpu', 'host,migratable=on'] },
  {
    what: 'a microvm',
    machine: 'microvm',
    expected: ['-machine', 'microvm,accel=tcg,isa-serial=off,acpi=on,dump-guest-core=off'],
  },
  {
    what: '<features> without <acpi>',
    elements: '<features><apic/></features>',
    expected: ['-machine', 'pc,accel=tcg,usb=off,acpi=off,dump-guest-core=off'],
  },
  {
    what: 'features of the board',
    elements:
      "<features><acpi/><vmport state='off'/><smm state='on'/></features><clock><timer name='hpet' present='no'/></clock>",
    expected: ['-machine', 'pc,accel=tcg,usb=off,acpi=on,hpet=off,vmport=off,smm=on,dump-guest-core=off'],
  },
  {
    what: 'virtiofs',
    elements: "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>",
    devices:
      "<filesystem><driver type='virtiofs' queue='512'/><source socket='/run/fs,1'/><target dir='root'/></filesystem>",
    expected: [
      ...['-chardev', 'socket,id=charfs0,path=/run/fs,,1', '-device'],
      '{"driver":"vhost-user-fs-pci","id":"fs0","chardev":"charfs0","tag":"root","queue-size":512}',
    ],
  },
  {
    what: 'memory that others may see',
    elements: "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>",
    expected: [
      ...['-m', 'size=65536k', '-object'],
      '{"qom-type":"memory-backend-memfd","id":"ram","size":67108864,"share":true}',
    ],
  },
  { what: 'memory in KiB', expected: ['-m', 'size=65536k'] },
  { what: 'processors', expected: ['-smp', '1,maxcpus=1,sockets=1,cores=1,threads=1'] },
  {
    what: 'a topology',
    elements:
      "<cpu mode='custom'><model>qemu64</model><topology sockets='1' cores='1' threads='1'/><feature name='x2apic' policy='disable'/></cpu>",
    expected: ['-smp', '1,maxcpus=1,sockets=1,dies=1,cores=1,threads=1', '-cpu', 'qemu64,x2apic=off'],
  },
  { what: 'cpu maximum', elements: "<cpu mode='maximum'/>", expected: ['-cpu', 'max'] },
  {
    what: 'the clock',
    elements: "<clock offset='localtime'><timer name='rtc' tickpolicy='catchup'/></clock>",
    expected: ['-rtc', 'base=localtime,driftfix=slew'],
  },
  {
    what: 'no suspend',
    elements: "<pm><suspend-to-mem enabled='no'/></pm>",
    expected: ['-global', 'PIIX4_PM.disable_s3=1'],
  },
  {
    what: 'a kernel',
    os: '<kernel>/k</kernel><initrd>/i</initrd><cmdline>a=1,2 "b"</cmdline>',
    expected: ['-kernel', '/k', '-initrd', '/i', '-append', 'a=1,2 "b"'],
  },
  { what: 'firmware', os: "<loader type='rom'>/fw.bin</loader>", expected: ['-bios', '/fw.bin'] },
  {
    what: 'flash',
    os: "<loader type='pflash' readonly='yes'>/code.fd</loader><nvram>/vars.fd</nvram>",
    expected: [
      '-blockdev',
      '{"node-name":"pflash0","driver":"raw","read-only":true,"file":{"driver":"file","filename":"/code.fd"}}',
      '-blockdev',
      '{"node-name":"pflash1","driver":"raw","read-only":false,"file":{"driver":"file","filename":"/vars.fd"}}',
    ],
  },
  {
    what: 'the boot menu',
    os: "<bootmenu enable='yes' timeout='3000'/>",
    expected: ['-boot', 'strict=on,menu=on,splash-time=3000'],
  },
  {
    what: 'a raw virtio disk whose name is full of commas',
    devices: disk(`${file('/a,b=c,,d')}<target dev='vda' bus='virtio'/>`),
    expected: [
      '-blockdev',
      '{"node-name":"virtio-disk0-storage","driver":"file","filename":"/a,b=c,,d","read-only":false,"discard":"ignore"}',
      '-blockdev',
      '{"node-name":"virtio-disk0-format","driver":"raw","file":"virtio-disk0-storage","read-only":false,"discard":"ignore"}',
      '-device',
      '{"driver":"virtio-blk-pci","id":"virtio-disk0","drive":"virtio-disk0-format","bootindex":1}',
    ],
  },
  {
    what: 'a qcow2 disk with all its options',
    devices: disk(
      `<driver name='qemu' type='qcow2' cache='none' io='native' discard='unmap' detect_zeroes='unmap' error_policy='stop'/>
       ${file('/d')}<target dev='vdb'/><serial>S1</serial><shareable/>`,
    ),
    expected: [
      '-blockdev',
      '{"node-name":"virtio-disk1-storage","driver":"file","filename":"/d","aio":"native","read-only":false,"cache":{"direct":true,"no-flush":false},"discard":"unmap"}',
      '-blockdev',
      '{"node-name":"virtio-disk1-format","driver":"qcow2","file":"virtio-disk1-storage","detect-zeroes":"unmap","read-only":false,"cache":{"direct":true,"no-flush":false},"discard":"unmap"}',
      '-device',
      '{"driver":"virtio-blk-pci","id":"virtio-disk1","drive":"virtio-disk1-format","bootindex":1,"write-cache":"on","share-rw":true,"serial":"S1","werror":"stop","rerror":"stop"}',
    ],
  },
  {
    what: 'a block device on microvm',
    machine: 'microvm',
    devices: disk("<source dev='/dev/sdz'/><target dev='vda'/>", "type='block'"),
    expected: [
      '-blockdev',
      '{"node-name":"virtio-disk0-storage","driver":"host_device","filename":"/dev/sdz","read-only":false,"discard":"ignore"}',
    ],
  },
  {
    what: 'a CD on ide',
    devices: disk(`${file('/c.iso')}<target dev='hdc' bus='ide'/>`, "type='file' device='cdrom'"),
    expected: [
      '-device',
      '{"driver":"ide-cd","id":"ide0-1-0","drive":"ide0-1-0-format","bus":"ide.1","unit":0}',
    ],
  },
  {
    what: 'an empty CD drive on q35',
    machine: 'q35',
    devices: disk("<target dev='sdb' bus='sata'/>", "type='file' device='cdrom'"),
    expected: ['-device', '{"driver":"ide-cd","id":"sata0-0-1","bus":"ide.1"}'],
  },
  {
    what: 'sata on pc, which has none of its own',
    devices: disk(`${file('/s')}<target dev='sda' bus='sata'/>`),
    expected: ['-device', '{"driver":"ich9-ahci","id":"sata0"}'],
  },
  {
    what: 'the boot order of devices',
    devices:
      disk(`${file('/a')}<target dev='vda'/><boot order='2'/>`) +
      nic("<model type='e1000'/><boot order='1'/>"),
    expected: [
      '-device',
      '{"driver":"e1000","id":"net0","netdev":"hostnet0","mac":"52:54:00:00:00:01","bootindex":1}',
    ],
  },
  {
    what: 'the boot order of kinds',
    os: "<boot dev='network'/><boot dev='hd'/>",
    devices: disk(`${file('/a')}<target dev='vda'/>`) + nic("<model type='virtio'/>"),
    expected: [
      '-device',
      '{"driver":"virtio-blk-pci","id":"virtio-disk0","drive":"virtio-disk0-format","bootindex":2}',
      '-netdev',
      '{"type":"user","id":"hostnet0"}',
      '-device',
      '{"driver":"virtio-net-pci","id":"net0","netdev":"hostnet0","mac":"52:54:00:00:00:01","bootindex":1}',
    ],
  },
  {
    what: 'a user-mode NIC with a network of its own',
    devices: nic(
      "<model type='virtio'/><mtu size='1400'/><ip family='ipv4' address='172.17.2.0' prefix='24'/>",
    ),
    expected: [
      '-netdev',
      '{"type":"user","id":"hostnet0","net":"172.17.2.0/24"}',
      '-device',
      '{"driver":"virtio-net-pci","id":"net0","netdev":"hostnet0","mac":"52:54:00:00:00:01","romfile":"","host_mtu":1400}',
    ],
  },
  {
    what: 'a bridged NIC',
    devices: nic("<source bridge='br0'/><target dev='tap7'/>", "type='bridge'"),
    expected: ['-netdev', '{"type":"tap","id":"hostnet0","ifname":"tap7","script":"no","downscript":"no"}'],
  },
  {
    what: 'a NIC at a PCI address',
    machine: 'q35',
    devices: `<controller type='pci' index='0' model='pcie-root'/>
      <controller type='pci' index='1' model='pcie-root-port'><address type='pci' slot='2' function='0' multifunction='on'/></controller>
      ${nic("<model type='virtio'/><address type='pci' bus='1' slot='0' function='0'/>")}`,
    expected: [
      '-device',
      '{"driver":"pcie-root-port","id":"pci.1","chassis":1,"bus":"pcie.0","addr":"0x2.0x0","multifunction":true}',
      '-netdev',
      '{"type":"user","id":"hostnet0"}',
      '-device',
      '{"driver":"virtio-net-pci","id":"net0","netdev":"hostnet0","mac":"52:54:00:00:00:01","romfile":"","bus":"pci.1","addr":"0x0.0x0"}',
    ],
  },
  {
    what: 'PCI ports without numbers, as virt-install asks for them',
    machine: 'q35',
    devices: `<controller type='pci' model='pcie-root'/><controller type='pci' model='pcie-root-port'/>
      <controller type='pci' model='pcie-root-port'/>`,
    expected: [
      '-device',
      '{"driver":"pcie-root-port","id":"pci.1","chassis":1}',
      '-device',
      '{"driver":"pcie-root-port","id":"pci.2","chassis":2}',
    ],
  },
  {
    what: 'a USB 2 controller of Intel with its companion',
    devices: `<controller type='usb' model='ich9-ehci1'/>
      <controller type='usb' model='ich9-uhci2'><master startport='2'/></controller>`,
    expected: [
      '-device',
      '{"driver":"ich9-usb-ehci1","id":"usb"}',
      '-device',
      '{"driver":"ich9-usb-uhci2","id":"usb-ich9-uhci2","masterbus":"usb.0","firstport":2}',
    ],
  },
  {
    what: 'the serial port',
    expected: [
      '-chardev',
      'socket,id=charserial0,path=serial0.sock,server=on,wait=off',
      '-device',
      '{"driver":"isa-serial","id":"serial0","chardev":"charserial0","index":0}',
    ],
  },
  {
    what: 'a serial port to a file, and one with a log',
    devices: `<serial type='file'><source path='/o,1' append='on'/></serial><serial type='null'><log file='/l' append='off'/></serial>`,
    expected: [
      '-chardev',
      'file,id=charserial1,path=/o,,1,append=on',
      '-device',
      '{"driver":"isa-serial","id":"serial1","chardev":"charserial1","index":1}',
      '-chardev',
      'null,id=charserial2,logfile=/l,logappend=off',
    ],
  },
  {
    what: 'the channel of the agent',
    devices: "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>",
    expected: [
      '-chardev',
      'socket,id=charchannel0,path=channel0.sock,server=on,wait=off',
      '-device',
      '{"driver":"virtserialport","id":"channel0","bus":"virtio-serial0.0","chardev":"charchannel0","name":"org.qemu.guest_agent.0"}',
    ],
  },
  {
    what: 'a virtio console on microvm',
    machine: 'microvm',
    devices: "<console type='pty'><target type='virtio'/></console>",
    expected: ['-device', '{"driver":"virtio-serial-device","id":"virtio-serial0"}'],
  },
  {
    what: 'VNC on any port',
    devices: "<graphics type='vnc' port='-1' autoport='yes'/>",
    expected: ['-display', 'none', '-vnc', '127.0.0.1:0,to=99'],
  },
  {
    what: 'VNC on one port of an IPv6 address, with a password',
    devices: "<graphics type='vnc' port='5907' listen='::1' passwd='s,e'/>",
    expected: ['-vnc', '[::1]:7,password=on', '-device', '{"driver":"VGA","id":"video0"}'],
  },
  {
    what: 'VNC on a socket',
    devices: "<graphics type='vnc' socket='/v,nc'/><video><model type='none'/></video>",
    expected: ['-vnc', 'unix:/v,,nc'],
  },
  {
    what: 'a virtio screen',
    devices: "<video><model type='virtio' heads='2'/></video>",
    expected: ['-device', '{"driver":"virtio-vga","id":"video0","max_outputs":2}'],
  },
  {
    what: 'a tablet, which brings its bus',
    devices: "<input type='tablet' bus='usb'/><input type='mouse' bus='ps2'/>",
    expected: ['-device', '{"driver":"piix3-usb-uhci","id":"usb"}'],
  },
  {
    what: 'the balloon that every guest has',
    expected: ['-device', '{"driver":"virtio-balloon-pci","id":"balloon0"}'],
  },
  {
    what: 'randomness',
    devices:
      "<rng model='virtio'><rate bytes='1024' period='500'/><backend model='random'>/dev/urandom</backend></rng>",
    expected: [
      '-object',
      '{"qom-type":"rng-random","filename":"/dev/urandom","id":"objrng0"}',
      '-device',
      '{"driver":"virtio-rng-pci","id":"rng0","rng":"objrng0","max-bytes":1024,"period":500}',
    ],
  },
  { what: 'the panic device', expected: ['-device', '{"driver":"pvpanic","id":"panic0"}'] },
  {
    what: 'a watchdog',
    devices: "<watchdog model='i6300esb' action='poweroff'/>",
    expected: ['-device', '{"driver":"i6300esb","id":"watchdog0"}', '-action', 'watchdog=poweroff'],
  },
  {
    what: 'a generation id',
    elements: '<genid>3f2b9d11-7c4e-4a58-9e60-b1d8c7a5f204</genid>',
    expected: [
      '-device',
      '{"driver":"vmgenid","id":"vmgenid0","guid":"3f2b9d11-7c4e-4a58-9e60-b1d8c7a5f204"}',
    ],
  },
  {
    what: 'an alias of the user',
    devices: "<rng model='virtio'><backend model='builtin'/><alias name='ua-dice'/></rng>",
    expected: [
      '-object',
      '{"qom-type":"rng-builtin","id":"objua-dice"}',
      '-device',
      '{"driver":"virtio-rng-pci","id":"ua-dice","rng":"objua-dice"}',
    ],
  },
]

const refused: readonly (readonly [what: string, guest: Partial<Case>, code: string, named: string])[] = [
  ['another machine', { machine: 'isapc' }, 'CONFIG_UNSUPPORTED', "machine='isapc'"],
  [
    'host-passthrough without KVM',
    { elements: "<cpu mode='host-passthrough'/>" },
    'CONFIG_UNSUPPORTED',
    'host-passthrough',
  ],
  ['SPICE', { devices: "<graphics type='spice'/>" }, 'CONFIG_UNSUPPORTED', "<graphics type='spice'>"],
  ['sound', { devices: "<sound model='ich9'/>" }, 'CONFIG_UNSUPPORTED', '<sound>'],
  ['a host device', { devices: "<hostdev mode='subsystem' type='usb'/>" }, 'CONFIG_UNSUPPORTED', '<hostdev>'],
  [
    'a file system',
    { devices: "<filesystem><source dir='/x'/><target dir='y'/></filesystem>" },
    'CONFIG_UNSUPPORTED',
    '<filesystem>',
  ],
  [
    'a directory that nobody serves',
    {
      devices: "<filesystem><driver type='virtiofs'/><source dir='/x'/><target dir='y'/></filesystem>",
    },
    'CONFIG_UNSUPPORTED',
    "<source dir='/x'>",
  ],
  [
    'virtiofs without shared memory',
    {
      devices: "<filesystem><driver type='virtiofs'/><source socket='/x'/><target dir='y'/></filesystem>",
    },
    'XML_ERROR',
    'memory of the guest',
  ],
  [
    'memory limits',
    { elements: '<memtune><hard_limit>1</hard_limit></memtune>' },
    'CONFIG_UNSUPPORTED',
    '<memtune>',
  ],
  [
    'a network disk',
    { devices: disk("<source protocol='rbd' name='x'/><target dev='vda'/>", "type='network'") },
    'CONFIG_UNSUPPORTED',
    "<disk type='network'>",
  ],
  [
    'a format to be guessed',
    { devices: disk(`<driver type='auto'/>${file('/a')}<target dev='vda'/>`) },
    'CONFIG_UNSUPPORTED',
    "type='auto'",
  ],
  [
    'ide on q35',
    { machine: 'q35', devices: disk(`${file('/a')}<target dev='hda' bus='ide'/>`) },
    'CONFIG_UNSUPPORTED',
    "bus='ide'",
  ],
  [
    'a scsi disk',
    { devices: disk(`${file('/a')}<target dev='sda' bus='scsi'/>`) },
    'CONFIG_UNSUPPORTED',
    "bus='scsi'",
  ],
  [
    'an encrypted disk',
    { devices: disk(`${file('/a')}<target dev='vda'/><encryption format='luks'/>`) },
    'CONFIG_UNSUPPORTED',
    'encryption',
  ],
  [
    'a NIC on PCI of a microvm',
    { machine: 'microvm', devices: nic("<model type='e1000'/>") },
    'CONFIG_UNSUPPORTED',
    'e1000',
  ],
  [
    'a NIC of a network',
    { devices: nic("<source network='default'/>", "type='network'") },
    'CONFIG_UNSUPPORTED',
    "<interface type='network'>",
  ],
  [
    'bandwidth',
    {
      devices: nic('<bandwidth/><model type="virtio"/>').replace(
        '<bandwidth/>',
        "<bandwidth><inbound average='1'/></bandwidth>",
      ),
    },
    'CONFIG_UNSUPPORTED',
    'bandwidth',
  ],
  [
    'a link name that is an option',
    { devices: nic("<source bridge='-x'/>", "type='bridge'") },
    'XML_ERROR',
    '-x',
  ],
  [
    'a channel of SPICE',
    { devices: "<channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>" },
    'CONFIG_UNSUPPORTED',
    'spicevmc',
  ],
  ['a relative path', { devices: disk(`${file('a')}<target dev='vda'/>`) }, 'XML_ERROR', 'absolute'],
  [
    'two disks in one place',
    { devices: disk(`${file('/a')}<target dev='vda'/>`).repeat(2) },
    'XML_ERROR',
    'virtio-disk0',
  ],
  [
    'a boot order twice over',
    { os: "<boot dev='hd'/>", devices: disk(`${file('/a')}<target dev='vda'/><boot order='1'/>`) },
    'XML_ERROR',
    '<boot order>',
  ],
  [
    'a listen address that is none',
    { devices: "<graphics type='vnc' listen='0.0.0.0:1,to=5'/>" },
    'XML_ERROR',
    'IP address',
  ],
  [
    'a VNC port that is none',
    { devices: "<graphics type='vnc' port='80'/>" },
    'CONFIG_UNSUPPORTED',
    "port='80'",
  ],
  ['a cpu feature that is none', { elements: "<cpu><feature name='a,b'/></cpu>" }, 'XML_ERROR', 'a,b'],
  [
    'an alias that is none',
    { devices: "<rng model='virtio'><alias name='ua-a,b'/></rng>" },
    'XML_ERROR',
    'ua-a,b',
  ],
  ['an initrd without a kernel', { os: '<initrd>/i</initrd>' }, 'XML_ERROR', '<kernel>'],
  [
    'a topology that does not fit',
    { elements: "<cpu><topology sockets='2' cores='1' threads='1'/></cpu>" },
    'XML_ERROR',
    '<topology>',
  ],
]

describe('the command line', () => {
  test.each(cases)('has $what', (each) => {
    const args = argumentsOf(each)
    expect(args.join('\n')).toContain(each.expected.join('\n'))
  })

  test.each(refused)('is refused for %s', (_what, guest, code, named) => {
    expect.assertions(2)
    try {
      argumentsOf(guest)
    } catch (error) {
      expect(isVirError(error) && error.code).toBe(code)
      expect((error as Error).message).toContain(named)
    }
  })

  test('is hardened', () => {
    const args = argumentsOf({}).join(' ')
    expect(args).toContain('-nodefaults -no-user-config')
    expect(args).toContain('-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny')
  })

  test('of a prepared definition is the same when it is prepared again', () => {
    const once = withDefaults(parseDomain(guestXml({ name: 'g', devices: nic('').replace(/<mac .*?>/, '') })))
    expect(planGuest(withDefaults(once)).args).toEqual(planGuest(once).args)
  })
})

function argumentsOf({ machine, type, os, elements, devices }: Partial<Case>): readonly string[] {
  const xml = guestXml({ name: 'g', machine, type, os, elements, devices })
  return planGuest(withDefaults(parseDomain(xml))).args
}
