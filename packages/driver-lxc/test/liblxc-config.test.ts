import { parseDomain } from '@covirt/xml'
import { describe, expect, test } from '@jest/globals'
import { toLiblxcConfig } from '../src/config/liblxc-config.js'
import { prepareDocument } from '../src/config/prepare-document.js'
import { isPrivileged, missingProtection } from '../src/config/security.js'
import type { HostFacts } from '../src/host/host-facts.js'
import { initSignals } from '../src/host/init-kind.js'

const legacyHost: HostFacts = {
  controllers: { memory: 1, cpu: 1, cpuset: 1, pids: 1, blkio: 1, devices: 1 },
  cpus: [0, 1, 2, 3],
  ioWeights: [],
  swapLimits: true,
  seccomp: true,
  selinux: false,
  apparmor: 'absent',
}
const unifiedHost: HostFacts = {
  ...legacyHost,
  controllers: { memory: 2, cpu: 2, cpuset: 2, pids: 2, blkio: 2, devices: 2 },
  ioWeights: ['io.bfq.weight', 'io.weight'],
}

interface Parts {
  readonly os?: string
  readonly devices?: string
  readonly elements?: string
  readonly root?: string
}

function xml({ os = '<init>/sbin/init</init>', devices = '', elements = '', root }: Parts = {}): string {
  return `<domain type='lxc'><name>web</name><uuid>3d1cf5b6-43c0-4f4c-a0f5-8a3f4f2b7c11</uuid>
    <memory unit='MiB'>64</memory>${elements}<os><type arch='x86_64'>exe</type>${os}</os>
    <devices>${root ?? "<filesystem type='mount'><source dir='/srv/web'/><target dir='/'/></filesystem>"}${devices}</devices>
  </domain>`
}

function configOf(parts: Parts, host = legacyHost): string[] {
  const text = toLiblxcConfig(prepareDocument(parseDomain(xml(parts))), {
    host,
    signals: initSignals('systemd'),
    groups: { payload: 'lxc.payload.web.0', monitor: 'lxc.monitor.web.0' },
    consoleLog: '/var/log/covirt/lxc/web.log',
    devices: new Map([
      ['/dev/sda', '8:0'],
      ['/dev/net/tun', '10:200'],
    ]),
    seccompFile: '/containers/web/seccomp',
  })
  return text.trimEnd().split('\n')
}

function container(inner: string): string {
  return `<metadata><c:container xmlns:c='urn:covirt:lxc:1'>${inner}</c:container></metadata>`
}

function bridge(inner = ''): string {
  return `<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/>${inner}</interface>`
}

describe('the liblxc configuration of a definition', () => {
  test('has all that the simplest container needs', () => {
    expect(configOf({})).toMatchInlineSnapshot(`
[
  "lxc.uts.name = web",
  "lxc.arch = x86_64",
  "lxc.rootfs.path = dir:/srv/web",
  "lxc.mount.auto = cgroup:mixed proc:mixed sys:mixed",
  "lxc.mount.entry = /dev/null proc/kcore none bind,optional 0 0",
  "lxc.mount.entry = /dev/null proc/keys none bind,optional 0 0",
  "lxc.mount.entry = /dev/null proc/latency_stats none bind,optional 0 0",
  "lxc.mount.entry = /dev/null proc/sched_debug none bind,optional 0 0",
  "lxc.mount.entry = /dev/null proc/sysrq-trigger none bind,optional 0 0",
  "lxc.mount.entry = /dev/null proc/timer_list none bind,optional 0 0",
  "lxc.mount.entry = tmpfs proc/acpi tmpfs ro,nosuid,nodev,noexec,size=4k,mode=555,optional 0 0",
  "lxc.mount.entry = tmpfs proc/scsi tmpfs ro,nosuid,nodev,noexec,size=4k,mode=555,optional 0 0",
  "lxc.mount.entry = tmpfs sys/firmware tmpfs ro,nosuid,nodev,noexec,size=4k,mode=555,optional 0 0",
  "lxc.mount.entry = tmpfs sys/devices/virtual/powercap tmpfs ro,nosuid,nodev,noexec,size=4k,mode=555,optional 0 0",
  "lxc.init.cmd = /sbin/init",
  "lxc.environment = PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  "lxc.environment = TERM=linux",
  "lxc.environment = container_uuid=3d1cf5b6-43c0-4f4c-a0f5-8a3f4f2b7c11",
  "lxc.signal.halt = SIGRTMIN+3",
  "lxc.signal.reboot = SIGINT",
  "lxc.net.0.type = empty",
  "lxc.cgroup.dir.container = lxc.payload.web.0",
  "lxc.cgroup.dir.monitor = lxc.monitor.web.0",
  "lxc.cgroup.memory.limit_in_bytes = 67108864",
  "lxc.cgroup.pids.max = 16384",
  "lxc.cgroup.devices.deny = a",
  "lxc.cgroup.devices.allow = c 1:3 rwm",
  "lxc.cgroup.devices.allow = c 1:5 rwm",
  "lxc.cgroup.devices.allow = c 1:7 rwm",
  "lxc.cgroup.devices.allow = c 1:8 rwm",
  "lxc.cgroup.devices.allow = c 1:9 rwm",
  "lxc.cgroup.devices.allow = c 5:0 rwm",
  "lxc.cgroup.devices.allow = c 5:1 rwm",
  "lxc.cgroup.devices.allow = c 5:2 rwm",
  "lxc.cgroup.devices.allow = c 136:* rwm",
  "lxc.cgroup.devices.allow = c 10:229 rwm",
  "lxc.cap.drop = block_suspend mac_admin mac_override sys_module sys_rawio sys_time syslog wake_alarm",
  "lxc.seccomp.profile = /containers/web/seccomp",
  "lxc.tty.dir = lxc",
  "lxc.tty.max = 4",
  "lxc.pty.max = 1024",
  "lxc.console.buffer.size = auto",
  "lxc.console.logfile = /var/log/covirt/lxc/web.log",
  "lxc.console.size = 1024KB",
  "lxc.console.rotate = 1",
]
`)
  })

  const rows: readonly (readonly [what: string, parts: Parts, lines: readonly unknown[]])[] = [
    [
      'arguments',
      { os: `<init>/bin/app</init><initarg>--a</initarg><initarg>it's</initarg>` },
      ["lxc.init.cmd = /bin/app --a it's"],
    ],
    [
      'the environment',
      { os: "<init>/i</init><initenv name='A'> b=c </initenv><initenv name='PATH'>/bin</initenv>" },
      ['lxc.environment = "A= b=c "', 'lxc.environment = PATH=/bin'],
    ],
    [
      'directory and user',
      { os: '<init>/i</init><initdir>/srv</initdir><inituser>+1000</inituser><initgroup>100</initgroup>' },
      ['lxc.init.cwd = /srv', 'lxc.init.uid = 1000', 'lxc.init.gid = 100'],
    ],
    [
      'a read-only root',
      { root: "<filesystem type='mount'><source dir='/srv/a b'/><target dir='/'/><readonly/></filesystem>" },
      ['lxc.rootfs.path = dir:/srv/a b'],
    ],
    [
      'memory of its own',
      { devices: "<filesystem type='ram'><source usage='10' units='MiB'/><target dir='/tmp'/></filesystem>" },
      ['lxc.mount.entry = tmpfs tmp tmpfs size=10240k,nosuid,nodev,create=dir 0 0'],
    ],
    [
      'a link on a bridge',
      { devices: bridge() },
      [
        'lxc.net.0.type = veth',
        'lxc.net.0.link = br0',
        'lxc.net.0.name = eth0',
        'lxc.net.0.flags = up',
        'lxc.net.0.hwaddr = 52:54:00:00:00:01',
      ],
    ],
    [
      'names of a link',
      { devices: bridge("<target dev='web0'/><guest dev='lan'/><mtu size='1400'/>") },
      ['lxc.net.0.veth.pair = web0', 'lxc.net.0.name = lan', 'lxc.net.0.mtu = 1400'],
    ],
    [
      'addresses of a link',
      {
        devices: bridge(
          "<ip address='10.1.1.2' prefix='16'/><ip address='fd00::2' prefix='64'/><route gateway='10.1.0.1'/>",
        ),
      },
      [
        'lxc.net.0.ipv4.address = 10.1.1.2/16',
        'lxc.net.0.ipv6.address = fd00::2/64',
        'lxc.net.0.ipv4.gateway = 10.1.0.1',
      ],
    ],
    [
      'addresses without a prefix, as libvirt has it',
      { devices: bridge("<ip address='10.1.1.2'/><ip address='192.168.1.2'/><ip address='fd00::2'/>") },
      [
        'lxc.net.0.ipv4.address = 10.1.1.2/8',
        'lxc.net.0.ipv4.address = 192.168.1.2/24',
        'lxc.net.0.ipv6.address = fd00::2/64',
      ],
    ],
    ['a second link', { devices: bridge() + bridge() }, ['lxc.net.1.type = veth', 'lxc.net.1.name = eth1']],
    [
      'capabilities by default',
      {
        elements:
          "<features><capabilities policy='default'><sys_time state='on'/><mknod state='off'/></capabilities></features>",
      },
      ['lxc.cap.drop = block_suspend mac_admin mac_override mknod sys_module sys_rawio syslog wake_alarm'],
    ],
    [
      'all capabilities',
      {
        elements:
          "<features><capabilities policy='allow'><net_raw state='off'/><checkpoint_restore state='off'/></capabilities></features>",
      },
      ['lxc.cap.drop = checkpoint_restore net_raw'],
    ],
    [
      'no capabilities but',
      { elements: "<features><capabilities policy='deny'><chown state='on'/></capabilities></features>" },
      ['lxc.cap.keep = chown'],
    ],
    [
      'no capabilities',
      { elements: "<features><capabilities policy='deny'/></features>" },
      ['lxc.cap.keep = none'],
    ],
    [
      'ids',
      {
        elements:
          "<idmap><uid start='0' target='100000' count='65536'/><gid start='0' target='100000' count='65536'/></idmap>",
      },
      ['lxc.idmap = u 0 100000 65536', 'lxc.idmap = g 0 100000 65536'],
    ],
    [
      'a key of liblxc',
      { elements: container("<c:option name='lxc.prlimit.nofile' value='1024:2048'/>") },
      ['lxc.prlimit.nofile = 1024:2048'],
    ],
    [
      'clocks of its own',
      { elements: container("<c:time boot='86400' monotonic='-5'/>") },
      ['lxc.time.offset.boot = 86400s', 'lxc.time.offset.monotonic = -5s'],
    ],
    ['a number of processes', { elements: container("<c:pids max='99'/>") }, ['lxc.cgroup.pids.max = 99']],
    [
      'what is made for one program',
      { elements: container('<c:preset>application</c:preset>') },
      [
        'lxc.no_new_privs = 1',
        expect.stringMatching(/^lxc.cap.keep = audit_write chown/),
        'lxc.cgroup.pids.max = 1024',
      ],
    ],
    [
      'a link of its own over one of the host',
      { devices: "<interface type='direct'><source dev='eth0' mode='passthrough'/></interface>" },
      ['lxc.net.0.type = macvlan', 'lxc.net.0.link = eth0', 'lxc.net.0.macvlan.mode = passthru'],
    ],
    [
      'a link of the host, after its own',
      {
        devices: `${bridge()}<hostdev mode='capabilities' type='net'><source><interface>eth1</interface></source></hostdev>`,
      },
      ['lxc.net.0.type = veth', 'lxc.net.1.type = phys', 'lxc.net.1.link = eth1'],
    ],
    [
      'a device of the host',
      {
        devices:
          "<hostdev mode='capabilities' type='misc'><source><char>/dev/net/tun</char></source></hostdev>",
      },
      ['lxc.cgroup.devices.allow = c 10:200 rwm'],
    ],
    [
      'what it may do with disks',
      {
        elements:
          '<blkiotune><weight>200</weight><device><path>/dev/sda</path><read_bytes_sec>1000</read_bytes_sec><write_iops_sec>5</write_iops_sec></device></blkiotune>',
      },
      [
        'lxc.cgroup.blkio.bfq.weight = 200',
        'lxc.cgroup.blkio.throttle.read_bps_device = 8:0 1000',
        'lxc.cgroup.blkio.throttle.write_iops_device = 8:0 5',
      ],
    ],
    ['a processor set', { elements: "<vcpu cpuset='0-3,^2'>2</vcpu>" }, ['lxc.cgroup.cpuset.cpus = 0,1,3']],
    [
      'nodes of memory',
      { elements: "<numatune><memory mode='strict' nodeset='0-1'/></numatune>" },
      ['lxc.cgroup.cpuset.mems = 0,1'],
    ],
    [
      'processor time',
      { elements: '<cputune><shares>512</shares><period>50000</period><quota>25000</quota></cputune>' },
      [
        'lxc.cgroup.cpu.shares = 512',
        'lxc.cgroup.cpu.cfs_period_us = 50000',
        'lxc.cgroup.cpu.cfs_quota_us = 25000',
      ],
    ],
    [
      'memory limits',
      {
        elements:
          "<memtune><hard_limit unit='MiB'>32</hard_limit><soft_limit unit='MiB'>16</soft_limit><swap_hard_limit unit='MiB'>48</swap_hard_limit></memtune>",
      },
      [
        'lxc.cgroup.memory.limit_in_bytes = 33554432',
        'lxc.cgroup.memory.soft_limit_in_bytes = 16777216',
        'lxc.cgroup.memory.memsw.limit_in_bytes = 50331648',
      ],
    ],
  ]
  test.each(rows)('says %s', (_, parts, lines) => {
    expect(configOf(parts)).toEqual(expect.arrayContaining([...lines]))
  })

  const unifiedRows: readonly (readonly [what: string, parts: Parts, lines: readonly string[]])[] = [
    [
      'memory',
      {},
      ['lxc.cgroup2.memory.max = 67108864', 'lxc.cgroup2.pids.max = 16384', 'lxc.cgroup2.devices.deny = a'],
    ],
    [
      'memory limits',
      {
        elements:
          "<memtune><hard_limit unit='MiB'>32</hard_limit><soft_limit unit='MiB'>16</soft_limit><swap_hard_limit unit='MiB'>48</swap_hard_limit></memtune>",
      },
      [
        'lxc.cgroup2.memory.max = 33554432',
        'lxc.cgroup2.memory.high = 16777216',
        'lxc.cgroup2.memory.swap.max = 16777216',
      ],
    ],
    [
      'processor time',
      { elements: '<cputune><shares>1024</shares><period>50000</period><quota>25000</quota></cputune>' },
      ['lxc.cgroup2.cpu.weight = 39', 'lxc.cgroup2.cpu.max = 25000 50000'],
    ],
    [
      'unlimited processor time',
      { elements: '<cputune><quota>-1</quota></cputune>' },
      ['lxc.cgroup2.cpu.max = max 100000'],
    ],
  ]
  test('says what it may do with disks in the words of cgroup version 2', () => {
    const elements =
      '<blkiotune><weight>200</weight><device><path>/dev/sda</path><weight>300</weight><read_bytes_sec>1000</read_bytes_sec><write_iops_sec>5</write_iops_sec></device></blkiotune>'
    expect(configOf({ elements }, unifiedHost).filter((line) => line.includes('.io.'))).toEqual([
      'lxc.cgroup2.io.bfq.weight = default 200',
      'lxc.cgroup2.io.weight = default 200',
      'lxc.cgroup2.io.max = 8:0 rbps=1000 wiops=5',
      'lxc.cgroup2.io.bfq.weight = 8:0 300',
    ])
  })

  test('weighs disks with what the host has for it, and nothing where it has nothing', () => {
    const elements = '<blkiotune><device><path>/dev/sda</path><weight>300</weight></device></blkiotune>'
    expect(configOf({ elements }, { ...unifiedHost, ioWeights: ['io.weight'] })).toContain(
      'lxc.cgroup2.io.weight = 8:0 300',
    )
    expect(() => configOf({ elements }, { ...unifiedHost, ioWeights: [] })).toThrow(
      expect.objectContaining({ code: 'CONFIG_UNSUPPORTED' }),
    )
  })

  test.each(unifiedRows)(
    'says %s in the words of cgroup version 2 where the host has it',
    (_, parts, lines) => {
      const config = configOf(parts, unifiedHost)
      expect(config).toEqual(expect.arrayContaining([...lines]))
      expect(config.filter((line) => /^lxc\.cgroup\.(?!dir)/.test(line))).toEqual([])
    },
  )

  test('leaves a link down that is to be down', () => {
    expect(configOf({ devices: bridge("<link state='down'/>") })).not.toContain('lxc.net.0.flags = up')
  })

  test('gives each link of each domain a name of its own that the kernel takes', () => {
    const names = configOf({ devices: bridge() + bridge() }).filter((line) => line.includes('veth.pair'))
    expect(new Set(names.map((line) => line.split(' = ')[1])).size).toBe(2)
    for (const name of names) expect(name.split(' = ')[1]).toMatch(/^[A-Za-z0-9]{1,15}$/)
  })

  test('keeps AppArmor off where its profiles are missing, and says nothing of it where there is none', () => {
    expect(configOf({}, { ...legacyHost, apparmor: 'without-profiles' })).toContain(
      'lxc.apparmor.profile = unconfined',
    )
    expect(configOf({}).join()).not.toContain('apparmor')
  })

  test('names the protection that the host lacks, but for what a definition goes without', () => {
    const bare: HostFacts = { ...legacyHost, seccomp: false, apparmor: 'without-profiles' }
    const missing = (elements: string, host: HostFacts) =>
      missingProtection(prepareDocument(parseDomain(xml({ elements }))), host)
    expect(missing('', legacyHost)).toEqual([])
    expect(missing('', bare)).toEqual([
      expect.stringContaining('seccomp'),
      expect.stringContaining('AppArmor'),
    ])
    expect(missing("<seclabel type='none'/>", bare)).toEqual([expect.stringContaining('seccomp')])
  })

  test.each([
    ['memory', { elements: "<memtune><hard_limit unit='MiB'>32</hard_limit></memtune>" }],
    ['cpu', { elements: '<cputune><shares>512</shares></cputune>' }],
    ['cpuset', { elements: "<vcpu cpuset='0'>1</vcpu>" }],
  ])('refuses a limit that the host has no %s controller for', (controller, parts) => {
    const controllers = { ...legacyHost.controllers, [controller]: undefined }
    expect(() => configOf(parts, { ...legacyHost, controllers })).toThrow(
      expect.objectContaining({ code: 'CONFIG_UNSUPPORTED', message: expect.stringContaining(controller) }),
    )
  })

  test('has no limit of memory, and says so, where the host has none and none but <memory> asks for it', () => {
    const host = { ...legacyHost, controllers: { devices: 2 } } as const
    expect(configOf({}, host).filter((line) => /memory|pids/.test(line))).toEqual([])
    expect(missingProtection(prepareDocument(parseDomain(xml({}))), host)).toEqual([
      'a limit of its memory',
      'a limit of its processes',
    ])
  })

  test.each([
    ['an argument with a line break', '<init>/i</init><initarg>a&#10;lxc.cap.drop =</initarg>'],
    ['an argument with a blank', '<init>/i</init><initarg>a b</initarg>'],
    ['an argument in quotes', '<init>/i</init><initarg>"a"</initarg>'],
  ])('leaves the command to the start where liblxc would not take it as it is: %s', (_, os) => {
    const withCommand = configOf({ os: '<init>/i</init>' })
    expect(configOf({ os })).toEqual(withCommand.filter((line) => !line.startsWith('lxc.init.cmd')))
  })

  test.each([
    ['an init', { os: '<init>/sbin/init&#10;lxc.hook.pre-start = /x</init>' }],
    ['a variable', { os: "<init>/i</init><initenv name='A'>b&#10;lxc.cap.drop =</initenv>" }],
    ['a variable’s name', { os: "<init>/i</init><initenv name='A&#10;lxc.x'>b</initenv>" }],
    [
      'a directory',
      { root: "<filesystem type='mount'><source dir='/srv&#10;x'/><target dir='/'/></filesystem>" },
    ],
    ['a bridge', { devices: "<interface type='bridge'><source bridge='br0&#10;x'/></interface>" }],
    ['an address', { devices: bridge("<ip address='10.0.0.1&#10;x'/>") }],
  ])('lets %s add no line', (_, parts) => {
    expect(() => configOf(parts)).toThrow(expect.objectContaining({ name: 'VirError' }))
  })
})

test.each([
  ["<idmap><uid start='0' target='0' count='9'/><gid start='0' target='100000' count='9'/></idmap>", true],
  [
    "<idmap><uid start='0' target='100000' count='9'/><gid start='0' target='100000' count='9'/></idmap>",
    false,
  ],
  ['', false],
])('whether a container has ids of root outside is known: %s', (elements, expected) => {
  expect(isPrivileged(prepareDocument(parseDomain(xml({ elements }))))).toBe(expected)
})
