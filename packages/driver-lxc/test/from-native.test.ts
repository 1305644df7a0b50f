import { formatDomain, parseDomain } from '@covirt/xml'
import { describe, expect, test } from '@jest/globals'
import { containerOptions } from '../src/config/container-options.js'
import { fromNative, redefinition } from '../src/config/from-native.js'
import { prepareDocument } from '../src/config/prepare-document.js'
import { toNative } from '../src/config/to-native.js'
import type { HostFacts } from '../src/host/host-facts.js'

const host: HostFacts = {
  controllers: { memory: 1, cpu: 1, cpuset: 1, pids: 1, devices: 1 },
  cpus: [0, 1, 2, 3],
  ioWeights: [],
  swapLimits: true,
  seccomp: true,
  selinux: false,
  apparmor: 'absent',
}

function read(config: string, name?: string) {
  const { document, omitted } = fromNative(`lxc.rootfs.path = dir:/srv/web\n${config}`, {
    name,
    memoryKib: 1024n,
  })
  return { document: parseDomain(formatDomain(document)), omitted }
}

describe('a native configuration as a definition', () => {
  test('of the kind that lxc-create writes can be defined', () => {
    const { document, omitted } = fromNative(
      `# Template used to create this container
lxc.include = /usr/share/lxc/config/common.conf
lxc.net.0.type = veth
lxc.net.0.link = lxcbr0
lxc.net.0.flags = up
lxc.net.0.hwaddr = 00:16:3e:12:34:56
lxc.rootfs.path = dir:/var/lib/lxc/web/rootfs
lxc.uts.name = web
lxc.arch = linux64
lxc.start.auto = 1
lxc.start.order = 10
`,
      { memoryKib: 1024n },
    )
    const prepared = prepareDocument(parseDomain(formatDomain(document)))
    expect(prepared).toMatchObject({ name: 'web', memoryKib: 1024n, os: { init: '/sbin/init' } })
    expect(prepared.devices.interfaces).toMatchObject([
      { type: 'bridge', source: { bridge: 'lxcbr0' }, mac: { address: '00:16:3e:12:34:56' } },
    ])
    expect(containerOptions(prepared)).toMatchObject({
      privileged: true,
      options: [
        ['lxc.start.auto', '1'],
        ['lxc.start.order', '10'],
      ],
    })
    expect(omitted).toEqual([['lxc.include', '/usr/share/lxc/config/common.conf']])
  })

  test.each([
    [
      'the program',
      'lxc.init.cmd = /bin/app --x 1\nlxc.init.cwd = /srv',
      { os: { init: '/bin/app', initArgs: ['--x', '1'], initDir: '/srv' } },
    ],
    [
      'the environment',
      'lxc.environment = A=b=c\nlxc.environment = EMPTY=',
      { os: { initEnv: [{ name: 'A', value: 'b=c' }, { name: 'EMPTY' }] } },
    ],
    [
      'a read-only root',
      'lxc.rootfs.options = ro',
      { devices: { filesystems: [{ target: '/', readonly: true }] } },
    ],
    [
      'a directory',
      'lxc.mount.entry = /srv/my\\040data data none bind,ro,create=dir 0 0',
      {
        devices: {
          filesystems: [
            {},
            { type: 'mount', source: { dir: '/srv/my data' }, target: '/data', readonly: true },
          ],
        },
      },
    ],
    [
      'memory of its own',
      'lxc.mount.entry = tmpfs tmp tmpfs size=10m,nodev 0 0',
      { devices: { filesystems: [{}, { type: 'ram', source: { usageKib: 10_240n }, target: '/tmp' }] } },
    ],
    [
      'ids',
      'lxc.idmap = u 0 100000 65536\nlxc.idmap = g 0 100000 65536',
      {
        idmap: {
          uids: [{ start: 0, target: 100000, count: 65536 }],
          gids: [{ start: 0, target: 100000, count: 65536 }],
        },
      },
    ],
    [
      'capabilities that it loses',
      'lxc.cap.drop = sys_module mac_admin',
      { features: { capabilities: { policy: 'default', sysModule: false, macAdmin: false } } },
    ],
    [
      'capabilities that it keeps',
      'lxc.cap.keep = net_admin',
      { features: { capabilities: { policy: 'deny', netAdmin: true } } },
    ],
    [
      'memory limits',
      'lxc.cgroup.memory.limit_in_bytes = 512M\nlxc.cgroup.memory.memsw.limit_in_bytes = 1G',
      { memoryKib: 524_288n, memtune: { hardLimitKib: 524_288n, swapHardLimitKib: 1_048_576n } },
    ],
    [
      'memory limits of version 2',
      'lxc.cgroup2.memory.max = 512M\nlxc.cgroup2.memory.swap.max = 512M',
      { memtune: { hardLimitKib: 524_288n, swapHardLimitKib: 1_048_576n } },
    ],
    [
      'processor time',
      'lxc.cgroup.cpu.shares = 512\nlxc.cgroup.cpu.cfs_quota_us = 50000',
      { cputune: { shares: 512n, quotaUs: 50_000n } },
    ],
    [
      'processor time of version 2',
      'lxc.cgroup2.cpu.max = max 50000',
      { cputune: { quotaUs: -1n, periodUs: 50_000n } },
    ],
    ['processors', 'lxc.cgroup2.cpuset.cpus = 0-1', { vcpu: { cpuset: '0-1' } }],
    [
      'nodes of memory',
      'lxc.cgroup.cpuset.mems = 0',
      { numatune: { memory: { mode: 'strict', nodeset: '0' } } },
    ],
    [
      'no AppArmor',
      'lxc.apparmor.profile = unconfined',
      { seclabels: [{ type: 'none', model: 'apparmor' }] },
    ],
    [
      'links',
      'lxc.net.0.type = veth\nlxc.net.0.link = br0\nlxc.net.0.name = lan\nlxc.net.0.ipv4.address = 10.0.0.2/24 10.0.0.255\nlxc.net.0.ipv4.gateway = 10.0.0.1\nlxc.net.0.mtu = 1400\nlxc.net.1.type = macvlan\nlxc.net.1.link = eth0\nlxc.net.1.macvlan.mode = bridge\nlxc.net.1.flags = up',
      {
        devices: {
          interfaces: [
            {
              type: 'bridge',
              guest: { dev: 'lan' },
              mtu: 1400,
              linkState: 'down',
              ips: [{ address: '10.0.0.2', prefix: 24 }],
              routes: [{ gateway: '10.0.0.1' }],
            },
            { type: 'direct', source: { dev: 'eth0', mode: 'bridge' } },
          ],
        },
      },
    ],
    [
      'a link of the host',
      'lxc.net.0.type = phys\nlxc.net.0.link = eth1',
      { devices: { hostdevs: [{ type: 'net', source: { interface: 'eth1' } }] } },
    ],
    [
      'old keys',
      'lxc.utsname = old\nlxc.network.type = veth\nlxc.network.link = br0\nlxc.network.type = empty',
      { name: 'old', devices: { interfaces: [{ source: { bridge: 'br0' } }] } },
    ],
  ])('tells %s', (_, config, expected) => {
    expect(read(config).document).toMatchObject(expected)
  })

  test('keeps keys that the XML has no words for as options', () => {
    const { document } = read(
      'lxc.hook.pre-start = /bin/x\nlxc.mount.entry = proc proc proc nodev 0 0\nlxc.net.0.type = vlan',
    )
    expect(containerOptions(document).options).toEqual([
      ['lxc.hook.pre-start', '/bin/x'],
      ['lxc.mount.entry', 'proc proc proc nodev 0 0'],
    ])
  })

  test('goes by the name that it is given', () => {
    expect(read('lxc.uts.name = host', 'container').document.name).toBe('container')
  })

  test('without a root file system is none', () => {
    expect(() => fromNative('lxc.uts.name = x', { memoryKib: 1n })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARG' }),
    )
  })

  test.each(['overlay:/lower:/lib/web/delta0', 'overlayfs:/first:/second:/lib/web/data'])(
    'with changes that a definition would not find again (%s) is not defined anew, and says where they are',
    (path) => {
      const config = `lxc.rootfs.path = ${path}`
      const kept = /delta0/.test(path) ? '/lib/web/delta0' : '/lib/web'
      expect(fromNative(config, { memoryKib: 1n }).document.devices?.filesystems).toMatchObject([
        { type: 'template', source: { dir: kept } },
      ])
      expect(() => redefinition(config, { memoryKib: 1n })).toThrow(
        expect.objectContaining({ code: 'CONFIG_UNSUPPORTED' }),
      )
    },
  )

  test('keeps the changes to a template that was written', () => {
    const root = { type: 'template', source: { name: '/base', dir: '/lib/web' }, target: '/' }
    const config = 'lxc.rootfs.path = overlay:/base:/lib/web/data'
    expect(redefinition(config, { memoryKib: 1n }).devices?.filesystems).toMatchObject([root])
  })

  test('is the one that was written', () => {
    const document = prepareDocument(
      parseDomain(`<domain type='lxc'><name>web</name><memory unit='MiB'>64</memory>
      <idmap><uid start='0' target='100000' count='65536'/><gid start='0' target='100000' count='65536'/></idmap>
      <devices><filesystem type='mount'><source dir='/srv/web'/><target dir='/'/></filesystem>
      <filesystem type='mount'><source dir='/srv/data'/><target dir='/data'/><readonly/></filesystem>
      <interface type='bridge'><source bridge='br0'/><ip address='10.0.0.2' prefix='24'/></interface></devices></domain>`),
    )
    const config = toNative(document, { host, ownIds: false })
    const again = parseDomain(formatDomain(fromNative(config, { memoryKib: 1n }).document))
    expect(again).toMatchObject({ name: 'web', memoryKib: 65_536n })
    expect(again.idmap?.uids[0]).toMatchObject({ start: 0, target: 100_000, count: 65_536 })
    expect(containerOptions(again).options).toEqual([])
    expect(again.devices.filesystems.map(({ target }) => target)).toEqual(['/', '/data'])
    expect(again.devices.interfaces[0]?.mac?.address).toBe(document.devices.interfaces[0]?.mac?.address)
  })
})
