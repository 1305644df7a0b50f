import { parseConnectUri } from '@covirt/core'
import { describe, expect, test } from '@jest/globals'
import { parseRemoteTarget } from '../src/remote-target.js'
import { runtimeDirectory, socketCandidates } from '../src/socket-paths.js'

const target = (uri: string) => parseRemoteTarget(parseConnectUri(uri))

describe('the name that the peer is asked for', () => {
  test.each([
    ['qemu+unix:///system?socket=/p', 'qemu:///system'],
    ['qemu:///system?socket=/p', 'qemu:///system'],
    ['qemu:///session?socket=/p', 'qemu:///session'],
    ['lxc:///?socket=/p', 'lxc:///'],
    ['covirt+unix:///system', 'covirt:///system'],
    ['test+unix:///default?socket=/p', 'test:///default'],
    ['foo+unix:///system', 'foo:///system'],
    ['remote+unix:///?socket=/p', ''],
    ['qemu+unix:///system?name=zap&socket=/p', 'zap'],
    ['qemu+unix:///system?name=lxc:///system', 'lxc:///system'],
    ['qemu+ssh://me@host:2222/system?keyfile=/k&no_tty=1&proxy=netcat', 'qemu:///system'],
    ['qemu+unix:///system?foo=bar&mode=legacy&auth=none', 'qemu:///system?foo=bar'],
    ['qemu+tls://host/system?readonly=1&keepalive_interval=1', 'qemu:///system'],
  ])('of %s is %s', (uri, name) => {
    expect(target(uri).name).toBe(name)
  })
})

describe('the way to the peer', () => {
  test.each([
    ['qemu+unix:///system?socket=/p', { by: 'unix', socket: '/p', mode: 'auto' }],
    ['qemu+unix:///system?mode=direct', { by: 'unix', socket: undefined, mode: 'direct' }],
    ['qemu:///system?socket=/p', { by: 'unix', socket: '/p', mode: 'auto' }],
    ['qemu+tcp://host/system', { by: 'tcp', host: 'host', port: 16_509 }],
    ['qemu+tcp://[::1]:7/system', { by: 'tcp', host: '::1', port: 7 }],
    ['qemu+tls://host/system', { by: 'tls', host: 'host', port: 16_514, pkiPath: undefined, verify: true }],
    ['qemu://host/system', { by: 'tls', host: 'host', port: 16_514, pkiPath: undefined, verify: true }],
    [
      'qemu+tls://host:1/system?pkipath=/pki&no_verify=1',
      { by: 'tls', host: 'host', port: 1, pkiPath: '/pki', verify: false },
    ],
    ['qemu+ext:///system?command=/helper', { by: 'ext', command: '/helper' }],
  ])('of %s is read from it', (uri, route) => {
    expect(target(uri).route).toEqual(route)
  })

  test('through ssh is read with all its parameters', () => {
    const query = 'keyfile=/k&no_tty=1&no_verify=1&netcat=/bin/nc&proxy=native&command=/bin/ssh&socket=/s'
    const hosts = 'known_hosts=/h&known_hosts_verify=auto&sshauth=agent,password'
    expect(target(`qemu+ssh://me@host:2222/system?${query}&${hosts}`).route).toEqual({
      by: 'ssh',
      host: 'host',
      port: 2222,
      user: 'me',
      command: '/bin/ssh',
      keyFile: '/k',
      noTty: true,
      verify: false,
      knownHosts: '/h',
      hostKeys: 'auto',
      methods: ['agent', 'password'],
      proxy: 'native',
      netcat: '/bin/nc',
      socket: '/s',
      mode: 'auto',
    })
  })
})

describe('how the connection is kept', () => {
  test('is as with libvirt where nothing is said', () => {
    expect(target('qemu+unix:///system')).toMatchObject({
      readOnly: false,
      keepaliveIntervalMs: 5000,
      keepaliveCount: 5,
      callTimeoutMs: 0,
    })
  })

  test('can be said', () => {
    const query = 'readonly&keepalive_interval=1&keepalive_count=2&call_timeout=30'
    expect(target(`qemu+unix:///system?${query}`)).toMatchObject({
      readOnly: true,
      keepaliveIntervalMs: 1000,
      keepaliveCount: 2,
      callTimeoutMs: 30_000,
    })
  })
})

test.each([
  ['qemu+unix://host/system', /unix socket/],
  ['qemu+unix:///system?socket=p', /absolute path/],
  ['qemu+tls:///system', /no host/],
  ['qemu+tls://host/system?tls_priority=NORMAL', /tls_priority/],
  ['qemu+ssh:///system', /no host/],
  ['qemu+ssh://-oProxyCommand=evil/system', /no host/],
  ['qemu+ssh://-oProxyCommand@host/system', /dash/],
  ['qemu+ssh://host/system?known_hosts=h', /absolute path/],
  ['qemu+ssh://host/system?known_hosts_verify=never', /normal, auto, ignore/],
  ['qemu+ssh://host/system?sshauth=agent,magic', /list of agent, privkey/],
  ['qemu+ext:///system', /command/],
  ['qemu+libssh2://host/system', /no transport 'libssh2'/],
  ['qemu+unix:///system?mode=other', /auto, direct, legacy/],
  ['qemu+unix:///system?readonly=maybe', /0 or 1/],
  ['qemu+unix:///system?call_timeout=soon', /not a number/],
])('%s is refused, with the reason', (uri, why) => {
  expect(() => target(uri)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARG', message: expect.stringMatching(why) }),
  )
})

describe('the sockets of daemons', () => {
  const candidates = (uri: string) => {
    const found = target(uri)
    if (found.route.by !== 'unix') throw new Error('not a unix socket')
    const directory = runtimeDirectory(found.path, { XDG_RUNTIME_DIR: '/run/user/7' })
    return socketCandidates(found, found.route.mode, directory)
  }

  test.each([
    ['qemu+unix:///system', ['/run/libvirt/virtqemud-sock', '/run/libvirt/libvirt-sock']],
    ['foo+unix:///system', ['/run/libvirt/virtfood-sock', '/run/libvirt/libvirt-sock']],
    ['qemu+unix:///system?mode=legacy', ['/run/libvirt/libvirt-sock']],
    ['qemu+unix:///system?mode=direct', ['/run/libvirt/virtqemud-sock']],
    ['qemu+unix:///system?readonly', ['/run/libvirt/virtqemud-sock-ro', '/run/libvirt/libvirt-sock-ro']],
    ['qemu+unix:///session', ['/run/user/7/libvirt/virtqemud-sock', '/run/user/7/libvirt/libvirt-sock']],
    ['remote+unix:///', ['/run/libvirt/libvirt-sock']],
    ['covirt+unix:///system', ['/run/covirt/covirt-sock']],
  ])('of %s are looked for at %p', (uri, paths) => {
    expect(candidates(uri)).toEqual(paths)
  })
})
