import { machine } from 'node:os'
import { formatDomain, parseDomain } from '@covirt/xml'
import { describe, expect, test } from '@jest/globals'
import { prepareDocument } from '../src/config/prepare-document.js'

const root = "<filesystem type='mount'><source dir='/srv/web'/><target dir='/'/></filesystem>"

function prepare(devices = root, elements = '', os = '<type>exe</type>') {
  return prepareDocument(
    parseDomain(
      `<domain type='lxc'><name>web</name><memory>65536</memory>${elements}<os>${os}</os><devices>${devices}</devices></domain>`,
    ),
  )
}

function bridge(inner: string): string {
  return `<interface type='bridge'><source bridge='b'/>${inner}</interface>`
}

describe('preparing a definition', () => {
  test('fills in architecture, init, console and MAC address', () => {
    const { os, devices } = prepare(
      `${root}<interface type='bridge'><source bridge='br0'/></interface>`,
      '',
      '',
    )
    expect(os).toMatchObject({ type: { type: 'exe', arch: machine() }, init: '/sbin/init' })
    expect(devices.consoles).toEqual([{ type: 'pty', target: { type: 'lxc', port: 0 } }])
    expect(devices.interfaces[0]?.mac?.address).toMatch(/^52:54:00(:[0-9a-f]{2}){3}$/)
  })

  test('changes nothing the second time', () => {
    const once = formatDomain(prepare(`${root}<interface type='bridge'><source bridge='br0'/></interface>`))
    expect(formatDomain(prepareDocument(parseDomain(once)))).toBe(once)
  })

  test.each([
    ["<disk type='file'><target dev='vda'/></disk>", 'devices/disk'],
    ["<graphics type='vnc'/>", 'devices/graphics'],
    ["<hostdev mode='subsystem' type='usb'/>", 'devices/hostdev'],
    ["<serial type='pty'/>", 'devices/serial'],
    ["<console type='pty'/><console type='pty'/>", 'devices/console'],
    ["<console type='file'><source path='/x'/></console>", "console type='file'"],
    ["<interface type='network'><source network='default'/></interface>", "interface type='network'"],
    ["<interface type='bridge'><source bridge='b'/><vlan><tag id='1'/></vlan></interface>", 'interface/vlan'],
    [
      "<filesystem type='volume'><source pool='p' volume='v'/><target dir='/d'/></filesystem>",
      "filesystem type='volume'",
    ],
    [
      "<filesystem type='mount'><source dir='/x'/><target dir='/d'/><space_hard_limit>1</space_hard_limit></filesystem>",
      'space_hard_limit',
    ],
  ])('refuses the device %s', (device, element) => {
    expect(() => prepare(root + device)).toThrow(
      expect.objectContaining({ code: 'CONFIG_UNSUPPORTED', message: expect.stringContaining(element) }),
    )
  })

  test.each([
    ["<numatune><memory mode='interleave' nodeset='0'/></numatune>", '', "memory mode='interleave'"],
    ["<numatune><memory mode='strict' placement='auto'/></numatune>", '', "placement='auto'"],
    [
      "<numatune><memory mode='strict' nodeset='0'/><memnode cellid='0' mode='strict' nodeset='0'/></numatune>",
      '',
      'numatune/memnode',
    ],
    ["<cputune><vcpupin vcpu='0' cpuset='0'/></cputune>", '', 'cputune/vcpupin'],
    ["<cpu mode='host-model'/>", '', 'cpu'],
    [
      "<features><capabilities policy='deny'><fly state='on'/></capabilities></features>",
      '',
      'capabilities/fly',
    ],
    ["<clock offset='variable' adjustment='60'/>", '', "clock offset='variable'"],
    ["<clock offset='absolute' start='0'/>", '', "clock offset='absolute'"],
    ["<clock offset='timezone' timezone='Europe/Berlin'/>", '', "clock offset='timezone'"],
    ['<memtune><min_guarantee>1</min_guarantee></memtune>', '', 'min_guarantee'],
    ['<resource><partition>/other</partition></resource>', '', 'resource/partition'],
    ['', '<type>hvm</type>', 'os/type hvm'],
    ['', '<type>exe</type><kernel>/boot/vmlinuz</kernel>', 'os/kernel'],
    ['', '<type>exe</type><inituser>www</inituser>', 'inituser'],
  ])('refuses %s%s', (elements, os, element) => {
    expect(() => prepare(root, elements, os || undefined)).toThrow(
      expect.objectContaining({ code: 'CONFIG_UNSUPPORTED', message: expect.stringContaining(element) }),
    )
  })

  test.each([
    ['no root', ''],
    ['a relative root', "<filesystem type='mount'><source dir='srv'/><target dir='/'/></filesystem>"],
    [
      'a root that climbs',
      "<filesystem type='mount'><source dir='/srv/../etc'/><target dir='/'/></filesystem>",
    ],
    ['two roots', root + root],
    [
      'a target that climbs',
      `${root}<filesystem type='mount'><source dir='/x'/><target dir='/../x'/></filesystem>`,
    ],
    ['a bridge with a strange name', `${root}<interface type='bridge'><source bridge='a b'/></interface>`],
    [
      'a link name that is too long',
      `${root}<interface type='bridge'><source bridge='b'/><target dev='sixteencharacter'/></interface>`,
    ],
    ['a route to nowhere', `${root}${bridge("<route address='10.0.0.0' prefix='8'/>")}`],
    ['a route over two families', `${root}${bridge("<route address='fd00::' gateway='10.0.0.1'/>")}`],
    ['a route of another family', `${root}${bridge("<route family='ipv6' gateway='10.0.0.1'/>")}`],
    ['a route with a broken mask', `${root}${bridge("<route netmask='255.0.255.0' gateway='10.0.0.1'/>")}`],
    [
      'a route that is too narrow',
      `${root}${bridge("<route address='10.0.0.0' prefix='33' gateway='10.0.0.1'/>")}`,
    ],
    ['an address that is none', `${root}${bridge("<ip address='999.1.1.1' prefix='24'/>")}`],
    ['an address of another family', `${root}${bridge("<ip family='ipv6' address='10.1.1.1'/>")}`],
    ['an address in too narrow a network', `${root}${bridge("<ip address='10.1.1.1' prefix='33'/>")}`],
    ['a MAC address of many', `${root}${bridge("<mac address='01:00:00:00:00:01'/>")}`],
    ['an MTU that no link has', `${root}${bridge("<mtu size='10'/>")}`],
    ['a log at a relative place', `${root}<console type='pty'><log file='log'/></console>`],
  ])('refuses %s as an error in the XML', (_, devices) => {
    expect(() => prepare(devices)).toThrow(expect.objectContaining({ code: 'XML_ERROR' }))
  })

  test.each([
    ['<vcpu cpuset="3-1">1</vcpu>'],
    ['<vcpu cpuset="0,^0">1</vcpu>'],
    ["<numatune><memory mode='strict'/></numatune>"],
    ['<cputune><shares>1</shares></cputune>'],
    ['<cputune><quota>5</quota></cputune>'],
    ['<vcpu>0</vcpu>'],
    [
      "<memtune><hard_limit unit='MiB'>64</hard_limit><swap_hard_limit unit='MiB'>32</swap_hard_limit></memtune>",
    ],
    ["<idmap><uid start='0' target='100000' count='10'/></idmap>"],
    ["<idmap><uid start='1' target='100000' count='10'/><gid start='0' target='100000' count='10'/></idmap>"],
    [
      "<idmap><uid start='0' target='100000' count='10'/><uid start='10' target='100009' count='10'/><gid start='0' target='100000' count='10'/></idmap>",
    ],
    [
      "<idmap><uid start='0' target='4294967290' count='10'/><gid start='0' target='100000' count='10'/></idmap>",
    ],
  ])('refuses the value in %s', (elements) => {
    expect(() => prepare(root, elements)).toThrow(expect.objectContaining({ code: 'XML_ERROR' }))
  })

  test('accepts what libvirt writes into every container', () => {
    const devices = `<emulator>/usr/lib/libvirt/libvirt_lxc</emulator>${root}<memballoon model='none'/>`
    const elements =
      "<resource><partition>/machine</partition></resource><clock offset='variable' basis='utc' adjustment='0'/>"
    expect(prepare(devices, elements).devices.emulator).toBe('/usr/lib/libvirt/libvirt_lxc')
  })
})
