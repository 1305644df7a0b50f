import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { canRunVirsh, describeWhen, needsRoot } from '../../../test/fixtures/index.js'
import { type DaemonProcess, run, startDaemon } from './daemon-process.js'

/** Users that no system has: the kernel needs no name to run a program as one. */
const uids = { reader: 64_001, operator: 64_002, admin: 64_003, narrow: 64_004, nobody: 64_005 } as const

const config = `
[sockets]
mode = "0666"

[[access.rules]]
users = ["${uids.reader}"]
role = "read"

[[access.rules]]
groups = ["${uids.operator}"]
role = "operate"

[[access.rules]]
users = ["${uids.admin}"]
role = "admin"

[[access.rules]]
users = ["${uids.narrow}"]
role = "admin"
domains = ["web-*"]
`

/** virsh's commands by the least role that may run them, on a domain that is running. */
const commands = {
  read: [
    ...[
      'list --all',
      'dominfo test',
      'domstate test',
      'dumpxml test',
      'domid test',
      'domuuid test',
      'vcpuinfo test',
    ],
    ...[
      'domname 6695eb01-f6a4-8304-79aa-97f2502e193f',
      'domstats test',
      'nodeinfo',
      'capabilities',
      'hostname',
    ],
    ...['schedinfo test', 'dommemstat test', 'snapshot-list test', 'domjobinfo test', 'domcontrol test'],
  ],
  operate: [
    ...[
      'suspend test',
      'resume test',
      'shutdown test --mode agent',
      'reset test',
      'reboot test --mode agent',
    ],
    ...['destroy test', 'start resting', 'managedsave test', 'screenshot test /dev/null', 'send-key test 30'],
    ...['inject-nmi test', 'dompmsuspend test mem', 'domjobabort test'],
  ],
  admin: [
    ...[
      'define DIR/web.xml',
      'create DIR/transient.xml',
      'dumpxml test --security-info',
      'autostart resting',
    ],
    ...['setmem test 1024 --config', 'setmaxmem test 1048576 --config', 'setvcpus test 1 --config'],
    ...['attach-device test DIR/disk.xml --config', 'detach-device test DIR/disk.xml --config'],
    ...[
      'update-device test DIR/disk.xml --config',
      'desc test --title new --config',
      'metadata test urn:x --remove',
    ],
    ...[
      'domrename resting awake',
      'snapshot-create-as test one',
      'save test DIR/state',
      'dump test DIR/core',
    ],
    ...['schedinfo test --set cpu_shares=7', 'memtune test --hard-limit 9'],
    ...['qemu-monitor-command test info', 'qemu-agent-command test {}', 'set-user-password test root x'],
    ...['domfsfreeze test', 'undefine test', 'net-define DIR/disk.xml', 'pool-define DIR/disk.xml'],
  ],
} as const

type Level = keyof typeof commands

const refusal = /Access denied|Operation forbidden|may have no domain/
/** A driver that lacks what a command needs has let nobody do it. */
const nothingDone = new RegExp(`${refusal.source}|is not supported`)

describeWhen(needsRoot() ?? canRunVirsh(), 'what a client may do', () => {
  let daemon: DaemonProcess

  beforeEach(async () => {
    daemon = await startDaemon({ config })
    const domain = (name: string) =>
      `<domain type='test'><name>${name}</name><memory unit='MiB'>8</memory><os><type>hvm</type></os></domain>`
    const files = {
      'web.xml': domain('web-1'),
      'transient.xml': domain('passing'),
      'resting.xml': domain('resting'),
      'disk.xml': "<disk type='file'><source file='/x'/><target dev='vdz'/></disk>",
    }
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(daemon.root, name), text)
      await chmod(join(daemon.root, name), 0o644)
    }
    const uri = daemon.uri('test', { path: '/default' })
    await run('virsh', ['-c', uri, 'define', join(daemon.root, 'resting.xml')])
  })
  afterEach(async () => daemon[Symbol.asyncDispose]())

  /** What virsh reported for each command, all run over one connection. */
  async function reports(
    level: Level,
    who: { readonly uid?: number; readonly readOnly?: boolean },
  ): Promise<readonly (readonly [command: string, report: string])[]> {
    const mark = '@@'
    const script = commands[level].map(
      (command) => `echo --err ${mark}; ${command.replaceAll('DIR', daemon.root)}`,
    )
    const uri = daemon.uri('test', { path: '/default', readOnly: who.readOnly ?? false })
    const { stderr } = await run('virsh', ['-q', '-c', uri, script.join('; ')], {
      ...(who.uid !== undefined && { uid: who.uid }),
      environment: { HOME: daemon.root, XDG_CACHE_HOME: '/nowhere' },
    })
    const [before, ...sections] = stderr.split(`error: ${mark}\n`)
    expect(before).toBe('')
    return commands[level].map((command, index) => [command, sections[index] ?? 'never run'])
  }

  const refused = async (level: Level, who: Parameters<typeof reports>[1]) =>
    (await reports(level, who)).filter(([, report]) => refusal.test(report)).map(([command]) => command)

  const readers = [
    ['a reader', { uid: uids.reader }],
    ['root on the read-only socket', { readOnly: true }],
    ['an administrator on the read-only socket', { uid: uids.admin, readOnly: true }],
  ] as const

  test.each(readers)('%s may read everything and change nothing', async (_who, who) => {
    await expect(refused('read', who)).resolves.toEqual([])
    for (const level of ['operate', 'admin'] as const) {
      const passed = (await reports(level, who)).filter(([, report]) => !nothingDone.test(report))
      expect(passed).toEqual([])
    }
    await expect(listAll()).resolves.toEqual(['1 test running', '- resting shut off'])
  })

  test('an operator brings guests up and down, and changes no definition', async () => {
    await expect(refused('read', { uid: uids.operator })).resolves.toEqual([])
    await expect(refused('operate', { uid: uids.operator })).resolves.toEqual([])
    const passed = (await reports('admin', { uid: uids.operator })).filter(
      ([, report]) => !nothingDone.test(report),
    )
    expect(passed).toEqual([])
  })

  test('who is an administrator for some domains sees no others, and can make none', async () => {
    const uri = daemon.uri('test', { path: '/default' })
    const as = (...args: string[]) => run('virsh', ['-q', '-c', uri, ...args], { uid: uids.narrow })
    await expect(as('define', join(daemon.root, 'web.xml'))).resolves.toMatchObject({ code: 0 })
    await expect(as('list', '--all', '--name')).resolves.toMatchObject({ stdout: 'web-1\n' })
    await expect(as('domstate', 'test')).resolves.toMatchObject({
      stderr: expect.stringContaining("failed to get domain 'test'"),
    })
    await expect(as('destroy', '6695eb01-f6a4-8304-79aa-97f2502e193f')).resolves.toMatchObject({ code: 1 })
    await expect(as('domrename', 'web-1', 'test-2')).resolves.toMatchObject({ code: 1 })
    await expect(as('create', join(daemon.root, 'transient.xml'))).resolves.toMatchObject({
      stderr: expect.stringMatching(refusal),
    })
    await expect(as('undefine', 'web-1')).resolves.toMatchObject({ code: 0 })
  })

  test('an administrator may do everything', async () => {
    for (const level of ['read', 'operate', 'admin'] as const)
      await expect(refused(level, { uid: uids.admin })).resolves.toEqual([])
  })

  test('who is named by no rule cannot connect', async () => {
    const uri = daemon.uri('test', { path: '/default' })
    await expect(run('virsh', ['-c', uri, 'list'], { uid: uids.nobody })).resolves.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('may not connect here'),
    })
  })

  test('a rule that is taken back holds from the next connection on', async () => {
    await writeFile(join(daemon.root, 'etc/covirtd.toml'), config.replace('role = "read"', 'role = "none"'))
    daemon.signal('SIGHUP')
    await daemon.logged('configuration read anew')
    const uri = daemon.uri('test', { path: '/default' })
    await expect(run('virsh', ['-c', uri, 'list'], { uid: uids.reader })).resolves.toMatchObject({ code: 1 })
  })

  async function listAll(): Promise<readonly string[]> {
    const uri = daemon.uri('test', { path: '/default' })
    const { stdout } = await run('virsh', ['-q', '-c', uri, 'list --all'])
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.trim().replace(/\s+/g, ' '))
  }
})
