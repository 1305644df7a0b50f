import { once } from 'node:events'
import { lstat, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { canRunVirsh, describeWhen, needsRoot, tempRoot, testWhen } from '../../../test/fixtures/index.js'
import { parseCommandLine } from '../src/command-line.js'
import { type DaemonProcess, program, run, startDaemon, virsh } from './daemon-process.js'

const testDomain = (name: string) =>
  `<domain type='test'><name>${name}</name><memory unit='MiB'>16</memory><os><type>hvm</type></os></domain>`

describeWhen(canRunVirsh(), 'covirtd, by virsh', () => {
  let daemon: DaemonProcess

  beforeAll(async () => {
    daemon = await startDaemon({ drivers: ['test', 'qemu'] })
  })
  afterAll(async () => daemon[Symbol.asyncDispose]())

  test('defines, starts, lists and ends a domain', async () => {
    const uri = daemon.uri('test', { path: '/empty' })
    const file = join(daemon.root, 'web.xml')
    await writeFile(file, testDomain('web'))

    await expect(virsh(uri, 'define', file)).resolves.toMatchObject({ code: 0 })
    await expect(virsh(uri, 'start', 'web')).resolves.toMatchObject({ code: 0 })
    await expect(virsh(uri, 'list', '--name')).resolves.toMatchObject({ stdout: 'web\n' })
    await expect(virsh(uri, 'destroy', 'web')).resolves.toMatchObject({ code: 0 })
    await expect(virsh(uri, 'domstate', 'web')).resolves.toMatchObject({ stdout: 'shut off\n' })
    await expect(virsh(uri, 'undefine', 'web')).resolves.toMatchObject({ code: 0 })
  })

  test('keeps its world as long as it lives, whoever comes and goes', async () => {
    const uri = daemon.uri('test', { path: '/default' })
    await virsh(uri, 'suspend', 'test')
    await expect(virsh(uri, 'domstate', 'test')).resolves.toMatchObject({ stdout: 'paused\n' })
  })

  test('refuses what would change something on its read-only socket', async () => {
    const uri = daemon.uri('test', { path: '/default', readOnly: true })
    await expect(virsh(uri, 'list', '--name', '--all')).resolves.toMatchObject({ stdout: 'test\n' })
    await expect(virsh(uri, 'destroy', 'test')).resolves.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('read only'),
    })
  })

  test('says which drivers it has to who asks for another one', async () => {
    await expect(virsh(daemon.uri('xen'), 'list')).resolves.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("No driver of this daemon answers to 'xen:'"),
    })
  })

  test('serves its own instance alone', async () => {
    const { stderr } = await virsh(daemon.uri('qemu', { path: '/session' }), 'list')
    expect(stderr).toContain('is not served by this daemon')
  })

  test("listens on libvirt's sockets where it is told to, but for those of a living daemon", async () => {
    await using root = await tempRoot()
    const living = createServer((socket) => socket.destroy()).listen(root.join('virtlxcd-sock'))
    await once(living, 'listening')
    const { ino } = await lstat(root.join('virtlxcd-sock'))
    const config = `[sockets]\nlibvirt_directory = "${root.path}"\n`
    await using daemon = await startDaemon({
      config,
      args: ['--libvirt-socket'],
      drivers: ['test', 'lxc', 'qemu'],
    })

    for (const name of ['libvirt-sock', 'virtqemud-sock']) {
      const uri = (mark: string) => `test+unix:///default?socket=${root.join(name)}${mark}`
      await expect(virsh(uri(''), 'suspend', 'test')).resolves.toMatchObject({ code: 0 })
      await expect(virsh(uri('-ro'), 'resume', 'test')).resolves.toMatchObject({ code: 1 })
    }
    expect(await daemon.logged(/left alone/)).toMatchObject({ path: root.join('virtlxcd-sock') })
    expect((await lstat(root.join('virtlxcd-sock'))).ino).toBe(ino)
    await daemon.end()
    await expect(lstat(root.join('libvirt-sock'))).rejects.toThrow('ENOENT')
    expect((await lstat(root.join('virtlxcd-sock'))).ino).toBe(ino)
    living.close()
  })
})

testWhen(needsRoot(), 'whom a socket does not let in is told how to be let in', async () => {
  await using daemon = await startDaemon()
  const covirt = fileURLToPath(new URL('../../covirt/bin/covirt.js', import.meta.url))
  const args = [covirt, '-c', `covirt:///system?root=${daemon.root}`, 'list']
  await expect(run(process.execPath, args, { uid: 64_001 })).resolves.toMatchObject({
    stderr: expect.stringMatching(/EACCES[\s\S]*sockets\.group/),
  })
})

describe('a root', () => {
  test('has one daemon: a second one is told where the first can be reached', async () => {
    await using daemon = await startDaemon()
    const second = startDaemon({ root: daemon.root, args: ['--socket', join(daemon.root, 'other')] })
    await expect(second).rejects.toThrow(`process ${daemon.pid}`)
    await expect(second).rejects.toThrow(`which serves it on ${daemon.socket}`)
  })

  test('is free after the daemon has ended, and has no sockets any more', async () => {
    await using root = await tempRoot()
    const daemon = await startDaemon({ root: root.path })
    await expect(daemon.end()).resolves.toBe(0)
    await expect(lstat(daemon.socket)).rejects.toThrow('ENOENT')
    await using again = await startDaemon({ root: root.path })
    expect(again.pid).not.toBe(daemon.pid)
  })

  test('is taken over from a daemon that was killed, whose sockets are replaced', async () => {
    await using root = await tempRoot()
    const daemon = await startDaemon({ root: root.path })
    await daemon.end('SIGKILL')
    await expect(lstat(daemon.socket)).resolves.toBeDefined()
    await using again = await startDaemon({ root: root.path })
    expect(again.socket).toBe(daemon.socket)
  })
})

describe('a signal', () => {
  test('SIGINT ends it as SIGTERM does', async () => {
    await using daemon = await startDaemon()
    await expect(daemon.end('SIGINT')).resolves.toBe(0)
  })

  test('SIGHUP makes it take over another level of its log', async () => {
    await using daemon = await startDaemon({
      config: '[log]\nlevel = "error"',
      args: ['--log-level', 'info'],
    })
    await writeFile(join(daemon.root, 'etc/covirtd.toml'), '[tls]\nport = "many"')
    daemon.signal('SIGHUP')
    const { reason } = await daemon.logged('the configuration was not taken over')
    expect(reason).toContain('covirtd.toml:2: tls.port')
    await writeFile(join(daemon.root, 'etc/covirtd.toml'), '')
    daemon.signal('SIGHUP')
    await daemon.logged('configuration read anew')
  })
})

describe('the command line', () => {
  const covirtd = (...args: string[]) => run(process.execPath, [program, ...args])

  test('can have a configuration checked', async () => {
    await using root = await tempRoot()
    const file = root.join('covirtd.toml')
    await writeFile(file, '[tls]\nenabled = true\nprot = 1')
    await expect(covirtd('--check-config', '--config', file)).resolves.toEqual({
      code: 78,
      stdout: '',
      stderr: expect.stringContaining(`${file}:3: tls.prot: unknown key; known here: enabled, listen, port`),
    })
    await writeFile(file, 'drivers = ["test"]\nshow_all_as = ["qemu", "quemu"]')
    await expect(covirtd('--check-config', '--config', file)).resolves.toMatchObject({
      code: 78,
      stderr: "covirtd: show_all_as: 'quemu' is no scheme of the drivers\nThere are: lxc, qemu.\n",
    })
    await writeFile(file, 'drivers = ["test"]\nshow_all_as = ["qemu"]')
    await expect(covirtd('--check-config', '--config', file)).resolves.toEqual({
      code: 0,
      stdout: `${file}: no problems\n`,
      stderr: '',
    })
  })

  test.each([
    ['an unknown option', ['--listen'], /--listen/],
    ['an option without its value', ['--root'], /--root/],
    ['a word that is no option', ['start'], /start/],
    [
      'a log level that is none',
      ['--log-level', 'loud'],
      /--log-level must be one of error, warn, info, debug/,
    ],
  ])('with %s is refused', (_what, args, message) => {
    expect(() => parseCommandLine(args)).toThrow(message)
  })

  test('that makes no sense ends with how to get help', async () => {
    await expect(covirtd('--listen')).resolves.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^covirtd: .*\nTry 'covirtd --help'\.\n$/),
    })
  })

  test.each([
    ['is not installed', 'no-such-driver', /npm install no-such-driver/],
    ['is not there', '/nowhere/driver.mjs', /absolute path/],
    ['is no driver', '@covirt/core', /Drivers that come with covirt: lxc, qemu, test/],
  ])('with a driver that %s is refused', async (_why, name, hint) => {
    await using root = await tempRoot()
    const { code, stderr } = await covirtd('--check-config', '--root', root.path, '--driver', name)
    expect(code).toBe(78)
    expect(stderr).toContain(`The driver '${name}' cannot be loaded`)
    expect(stderr).toMatch(hint)
  })

  test('takes the driver of somebody else by its path', async () => {
    await using root = await tempRoot()
    const inversify = import.meta.resolve('inversify')
    await writeFile(
      root.join('driver.mjs'),
      `import { ContainerModule } from '${inversify}'
       const provider = { schemes: ['mine'], probe: async () => undefined, open: async () => ({ type: 'MINE', close: async () => {} }) }
       export const driverModule = new ContainerModule(({ bind }) => {
         bind(Symbol.for('covirt:DriverEntry')).toConstantValue({ provider, domainTypes: [] })
       })`,
    )
    await using daemon = await startDaemon({ drivers: [root.join('driver.mjs')] })
    await expect(daemon.logged('driver opened')).resolves.toMatchObject({ scheme: 'mine' })
  })

  test('tells its options and its version', async () => {
    await expect(covirtd('--help')).resolves.toMatchObject({
      stdout: expect.stringContaining('--libvirt-socket'),
    })
    const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
    await expect(covirtd('--version')).resolves.toMatchObject({ stdout: `covirtd ${version}\n` })
  })
})
