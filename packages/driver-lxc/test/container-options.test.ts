import { parseDomain } from '@covirt/xml'
import { describe, expect, test } from '@jest/globals'
import { containerOptions } from '../src/config/container-options.js'
import { prepareDocument } from '../src/config/prepare-document.js'

function domain(inner: string, elements = '') {
  return parseDomain(`<domain type='lxc'><name>web</name><memory>65536</memory>
    <metadata><x:container xmlns:x='urn:covirt:lxc:1'>${inner}</x:container></metadata>${elements}
    <devices><filesystem type='mount'><source dir='/srv/web'/><target dir='/'/></filesystem></devices></domain>`)
}

describe('The options of a container', () => {
  test('are read whatever the prefix', () => {
    expect(containerOptions(domain("<x:privileged/><x:pids max='5'/>"))).toEqual({
      privileged: true,
      preset: 'system',
      maxProcesses: 5,
      clockOffsets: {},
      options: [],
    })
  })

  test.each([
    ['an unknown element', '<x:priviledged/>', 'no <priviledged>'],
    ['an unknown preset', '<x:preset>vm</x:preset>', "no preset 'vm'"],
    ['a count that is none', "<x:pids max='many'/>", 'is not a number'],
    ['a time that is none', "<x:time boot='1h'/>", 'is not a number of seconds'],
    ['a key that is none', "<x:option name='net.x' value='1'/>", 'is not a key'],
    ['a key without a value', "<x:option name='lxc.prlimit.nofile'/>", 'needs a value'],
  ])('that hold %s are wrong', (_, inner, message) => {
    expect(() => prepareDocument(domain(inner))).toThrow(
      expect.objectContaining({ code: 'XML_ERROR', message: expect.stringContaining(message) }),
    )
  })

  test.each([
    'lxc.rootfs.path',
    'lxc.idmap',
    'lxc.include',
    'lxc.net.0.type',
    'lxc.cap.drop',
    'lxc.namespace.keep',
  ])("hold no key of the driver's own: %s", (key) => {
    expect(() => prepareDocument(domain(`<x:option name='${key}' value='x'/>`))).toThrow(
      expect.objectContaining({ code: 'CONFIG_UNSUPPORTED' }),
    )
  })

  test('hold no line break, which would be a line of its own', () => {
    expect(() =>
      prepareDocument(domain("<x:option name='lxc.prlimit.nofile' value='1&#10;lxc.cap.drop='/>")),
    ).toThrow(expect.objectContaining({ code: 'CONFIG_UNSUPPORTED' }))
  })

  test('say either that it is privileged or whose ids it has', () => {
    const idmap =
      "<idmap><uid start='0' target='100000' count='1'/><gid start='0' target='100000' count='1'/></idmap>"
    expect(() => prepareDocument(domain('<x:privileged/>', idmap))).toThrow(
      'either privileged or has an <idmap>',
    )
  })
})
