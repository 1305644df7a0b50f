import { execFile } from 'node:child_process'
import {
  chmod,
  chown,
  link,
  mkdir,
  readdir,
  readFile,
  readlink,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterAll, expect, test } from '@jest/globals'
import {
  busyboxRootfs,
  canRunLxc,
  describeWhen,
  type TempRoot,
  tempRoot,
  uniqueName,
} from '../../../test/fixtures/index.js'
import { type Connection, cloneContainer, createRootfs, type LxcDriver, open } from '../src/index.js'
import { covirt } from './run-covirt.js'

const run = promisify(execFile)

/** A small root file system with owners, links and a file capability; made once. */
let made: Promise<TempRoot> | undefined

async function origin(): Promise<string> {
  made ??= (async () => {
    const root = await tempRoot()
    const rootfs = await busyboxRootfs(root.join('rootfs'))
    await writeFile(`${rootfs}/etc/owned`, 'mine')
    await chown(`${rootfs}/etc/owned`, 1000, 2000)
    await chmod(`${rootfs}/etc/owned`, 0o4751)
    await link(`${rootfs}/etc/owned`, `${rootfs}/etc/same`)
    await symlink('/etc/owned', `${rootfs}/etc/link`)
    await writeFile(`${rootfs}/etc/hostname`, 'origin\n')
    await writeFile(`${rootfs}/etc/machine-id`, '0123456789abcdef0123456789abcdef\n')
    return root
  })()
  return (await made).join('rootfs')
}

afterAll(async () => (await made)?.[Symbol.asyncDispose]())

async function expectSame(rootfs: string): Promise<void> {
  const [owned, same] = await Promise.all([stat(`${rootfs}/etc/owned`), stat(`${rootfs}/etc/same`)])
  expect([owned.uid, owned.gid, owned.mode & 0o7777, owned.ino]).toEqual([1000, 2000, 0o4751, same.ino])
  expect(await readlink(`${rootfs}/etc/link`)).toBe('/etc/owned')
  expect((await readdir(`${rootfs}/bin`)).sort()).toEqual((await readdir(`${await origin()}/bin`)).sort())
}

describeWhen(canRunLxc(), 'a container', () => {
  test('is made from an archive, starts, and is removed with its root', async () => {
    await using root = await tempRoot()
    const archive = root.join('rootfs.tar.xz')
    const packing = ['--create', '--xz', `--file=${archive}`, `--directory=${await origin()}`, '.']
    await run('tar', packing, { env: { ...process.env, XZ_OPT: '-0' } })
    const name = uniqueName('from')
    const connect = ['-c', `lxc:///system?root=${root.path}`]
    const create = ['create-container', name, '--from', archive, '--init', '/sbin/ctinit', '--start']
    await expect(covirt([...connect, ...create])).resolves.toMatchObject({ code: 0, stderr: '' })
    await expectSame(root.join('lib/containers', name, 'rootfs'))
    await expect(covirt([...connect, 'destroy', name])).resolves.toMatchObject({ code: 0 })
    await expect(covirt([...connect, 'undefine', name, '--remove-rootfs'])).resolves.toMatchObject({
      code: 0,
    })
    expect(await readdir(root.join('lib/containers'))).toEqual([])
  })

  test.each([
    ['plain', []],
    ['compressed with gzip', ['--gzip']],
  ])('is made from an archive that is %s', async (_, flags) => {
    await using root = await tempRoot()
    await run('tar', ['--create', ...flags, `--file=${root.join('a')}`, `--directory=${await origin()}`, '.'])
    await mkdir(root.join('copy'))
    await createRootfs(root.join('copy'), { name: 'web', from: root.join('a') })
    await expectSame(root.join('copy'))
  })

  test('is made from a directory', async () => {
    await using root = await tempRoot()
    await mkdir(root.join('copy'))
    expect(await createRootfs(root.join('copy'), { name: 'web', from: await origin() })).toBe('/sbin/init')
    await expectSame(root.join('copy'))
  })

  test('is not made from an archive that is meant to do harm, and nothing is left', async () => {
    await using root = await tempRoot()
    await mkdir(root.join('evil'))
    await symlink(root.path, root.join('evil/way'))
    await writeFile(root.join('target'), 'safe')
    const archive = root.join('evil.tar')
    await run('tar', ['--create', `--file=${archive}`, `--directory=${root.join('evil')}`, 'way'])
    await run('tar', [
      ...['--append', `--file=${archive}`, `--directory=${root.path}`],
      ...['--transform=s,^target,way/target,', 'target'],
    ])
    const { code, stderr } = await covirt([
      ...['-c', `lxc:///system?root=${root.path}`, 'create-container', 'web', '--from', archive],
    ])
    expect(stderr).toMatch(/^error: .*'way\/target': it lies behind the link 'way'/)
    expect(code).toBe(1)
    expect(await readFile(root.join('target'), 'utf8')).toBe('safe')
    expect(await readdir(root.join('lib/containers'))).toEqual([])
  })

  test('is not made from what is neither archive nor directory', async () => {
    await using root = await tempRoot()
    await writeFile(root.join('text'), 'hello')
    await mkdir(root.join('here'))
    await expect(
      createRootfs(root.join('here'), { name: 'web', from: root.join('text') }),
    ).rejects.toMatchObject({ code: 'OPERATION_FAILED', message: expect.stringMatching(/no tar archive/) })
    await expect(
      createRootfs(root.join('here'), { name: 'web', from: root.join('missing') }),
    ).rejects.toMatchObject({ code: 'OPERATION_FAILED', message: expect.stringMatching(/ENOENT/) })
  })
})

async function define(connection: Connection<LxcDriver>, name: string, devices = '') {
  return connection.domains.define(`<domain type='lxc'><name>${name}</name><title>kept</title>
    <memory unit='MiB'>64</memory><os><type>exe</type><init>/sbin/ctinit</init></os>
    <devices><filesystem type='mount'><source dir='${await origin()}'/><target dir='/'/></filesystem>${devices}</devices></domain>`)
}

const bridged =
  "<interface type='bridge'><mac address='52:54:00:11:22:33'/><source bridge='br0'/></interface>"

describeWhen(canRunLxc(), 'the clone of a container', () => {
  test('has its files and definition, and is another one', async () => {
    await using root = await tempRoot()
    await using connection = await open(`lxc:///system?root=${root.path}`)
    const domain = await define(connection, 'origin', bridged)
    const { domain: copy, home } = await cloneContainer(connection, domain, 'second')
    await expectSame(home.rootfs)
    expect(await readFile(`${home.rootfs}/etc/hostname`, 'utf8')).toBe('second\n')
    expect(await readFile(`${home.rootfs}/etc/machine-id`, 'utf8')).toBe('')
    expect(await readFile(`${await origin()}/etc/hostname`, 'utf8')).toBe('origin\n')
    const xml = await copy.xml()
    expect(copy.uuid).not.toBe(domain.uuid)
    expect(xml).toContain('<title>kept</title>')
    expect(xml).not.toContain('52:54:00:11:22:33')
    expect(await domain.xml()).toContain('52:54:00:11:22:33')
  })

  test('is made of one that runs, which goes on, and both run', async () => {
    await using root = await tempRoot()
    const connect = ['-c', `lxc:///system?root=${root.path}`]
    const first = uniqueName('one')
    const second = uniqueName('two')
    const from = ['--from', await origin(), '--init', '/sbin/ctinit', '--start']
    await covirt([...connect, 'create-container', first, ...from])
    await expect(covirt([...connect, 'clone', first, second, '--start'])).resolves.toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining(`'${second}' created and started`),
    })
    const { stdout } = await covirt([...connect, 'list', '--name'])
    expect(stdout.split('\n').sort()).toEqual(['', first, second].sort())
    for (const name of [first, second]) await covirt([...connect, 'destroy', name])
  })

  test('is made once where several make it at the same time, and the others are told', async () => {
    await using root = await tempRoot()
    await using connection = await open(`lxc:///system?root=${root.path}`)
    const domain = await define(connection, uniqueName('origin'))
    const name = uniqueName('twin')
    const attempts = await Promise.allSettled(
      [0, 1, 2].map(async (turns) => {
        for (let turn = 0; turn < turns * 20; turn++) await new Promise(setImmediate)
        return cloneContainer(connection, domain, name)
      }),
    )
    const made = attempts.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    expect(made).toHaveLength(1)
    await expectSame(made[0]?.home.rootfs ?? '')
    for (const each of attempts)
      if (each.status === 'rejected') expect(each.reason.code).toMatch(/^(RESOURCE_BUSY|DOM_EXIST)$/)
  })

  test('is not made where the name is taken, or the source is no container', async () => {
    await using root = await tempRoot()
    await using connection = await open(`lxc:///system?root=${root.path}`)
    const domain = await define(connection, 'origin', bridged)
    await expect(cloneContainer(connection, domain, 'origin')).rejects.toMatchObject({ code: 'DOM_EXIST' })
    await using other = await open('test:///default')
    const machine = await other.domains.lookupByName('test')
    await expect(cloneContainer(connection, machine, 'second')).rejects.toMatchObject({
      code: 'CONFIG_UNSUPPORTED',
    })
    expect(await readdir(root.join('lib')).catch(() => [])).not.toContain('containers')
  })
})

describeWhen(canRunLxc(), 'a container over the root of another', () => {
  /** Whether `rootfs` is, name by name and to the byte, what it was. */
  async function fingerprint(rootfs: string): Promise<string> {
    const { stdout } = await run('sh', [
      '-c',
      'cd "$1" && find . -printf "%p %m %u %g %s %T@ %l\\n" | sort && find . -type f | sort | xargs cksum',
      'sh',
      rootfs,
    ])
    return stdout
  }

  test('as a linked clone keeps what it changes and nothing else, also when it was off', async () => {
    await using root = await tempRoot()
    await using connection = await open(`lxc:///system?root=${root.path}`)
    const domain = await define(connection, uniqueName('origin'))
    const before = await fingerprint(await origin())
    const name = uniqueName('linked')
    const { domain: clone, home } = await cloneContainer(connection, domain, name, { linked: true })
    for (let round = 1; round <= 2; round++) {
      await clone.start()
      const { stdout, exit } = await clone.exec([
        'sh',
        '-c',
        'echo kept >> /etc/new; rm -f /etc/link; chown 5 /etc/same; cat /etc/hostname',
      ])
      expect(await text(stdout)).toBe(`${name}\n`)
      await exit
      await clone.destroy()
      expect(await readFile(`${home.rootfs}/data/etc/new`, 'utf8')).toBe('kept\n'.repeat(round))
    }
    expect(await fingerprint(await origin())).toBe(before)
    await clone.createSnapshot('<domainsnapshot><name>one</name></domainsnapshot>')
    await writeFile(`${home.rootfs}/data/etc/new`, 'other')
    await clone.revertToSnapshot('one')
    expect(await readFile(`${home.rootfs}/data/etc/new`, 'utf8')).toBe('kept\nkept\n')
  })

  test('keeps its root though its maker died before it was done, and it has another name now', async () => {
    await using root = await tempRoot()
    await using connection = await open(`lxc:///system?root=${root.path}`)
    const domain = await define(connection, uniqueName('origin'))
    const name = uniqueName('died')
    const { domain: made, home } = await cloneContainer(connection, domain, name)
    await writeFile(`${home.directory}/unfinished`, '')
    await made.rename(uniqueName('renamed'))
    await expect(cloneContainer(connection, domain, name)).rejects.toMatchObject({
      code: 'OPERATION_INVALID',
    })
    await expectSame(home.rootfs)
  })

  test('is not linked to one that runs', async () => {
    await using root = await tempRoot()
    await using connection = await open(`lxc:///system?root=${root.path}`)
    const domain = await define(connection, uniqueName('origin'))
    await domain.start()
    await expect(cloneContainer(connection, domain, 'linked', { linked: true })).rejects.toMatchObject({
      code: 'OPERATION_INVALID',
    })
    await domain.destroy()
  })

  test('as an ephemeral one leaves nothing when it ends, though nobody looks, and the base as it was', async () => {
    await using root = await tempRoot()
    const connect = ['-c', `lxc:///system?root=${root.path}`]
    const name = uniqueName('brief')
    const before = await fingerprint(await origin())
    const base = ['--ephemeral', '--from', await origin(), '--init', '/sbin/ctinit']
    await expect(covirt([...connect, 'create-container', name, ...base])).resolves.toMatchObject({ code: 0 })
    const status = JSON.parse(await readFile(root.join('run/lxc', `${name}.json`), 'utf8'))
    const changes = root.join('lib/lxc/containers', name, 'changes0/data')
    while (!(await readdir(changes)).includes('var')) await new Promise((resolve) => setTimeout(resolve, 5))
    process.kill(status.record.initPid, 'SIGKILL')
    const { stdout } = await covirt([...connect, 'list', '--all', '--name'])
    expect(stdout).toBe('')
    expect(await readdir(root.join('lib/lxc/containers'))).toEqual([])
    expect(await fingerprint(await origin())).toBe(before)
  })
})
