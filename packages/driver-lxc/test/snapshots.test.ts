import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import {
  chown,
  link,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import type { Domain } from '@covirt/core'
import { expect, test } from '@jest/globals'
import { busyboxRootfs, canRunLxc, describeWhen, tempRoot, uniqueName } from '../../../test/fixtures/index.js'
import { settleTree, swapTree } from '../src/host/swap-tree.js'
import { removeTree } from '../src/host/trees.js'
import { isFrozen, setFrozen } from '../src/native.js'
import { eventually, LxcWorld, removeRootfs } from './lxc-fixture.js'

/** A container with a root file system of its own that runs `script`. */
async function place(script: string) {
  const directory = await tempRoot()
  const rootfs = await busyboxRootfs(directory.join('rootfs'))
  const world = await LxcWorld.make()
  const connection = await world.open()
  const domain = await connection.domains.define(`<domain type='lxc'><name>${uniqueName('snap')}</name>
    <memory unit='MiB'>64</memory>
    <os><type>exe</type><init>/bin/sh</init><initarg>-c</initarg><initarg>${script}</initarg></os>
    <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem></devices></domain>`)
  return {
    world,
    connection,
    domain,
    rootfs,
    async [Symbol.asyncDispose]() {
      const domains = await connection.domains.list({ active: true }).catch(() => [] as readonly Domain[])
      for (const each of domains) await each.destroy()
      await connection.close()
      await world[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
      await removeRootfs()
    },
  }
}

/** Replaces each file as a whole, the second after the first. */
const counter =
  'while :; do i=$((i+1)); echo $i > /x; mv /x /etc/first; echo $i > /x; mv /x /var/second; done'

describeWhen(canRunLxc(), 'the snapshot of a real container', () => {
  test('is of what a link leads to that names its root', async () => {
    await using here = await place('sleep 1000')
    const target = `${here.rootfs}-target`
    await rename(here.rootfs, target)
    await symlink(target, here.rootfs)
    await writeFile(join(target, 'etc/kept'), 'before')
    const { name } = await here.domain.createSnapshot()
    await writeFile(join(target, 'etc/kept'), 'after')
    await here.domain.revertToSnapshot(name)
    expect(await readFile(join(target, 'etc/kept'), 'utf8')).toBe('before')
    expect(await readlink(here.rootfs)).toBe(target)
  })

  test('is as at one moment, and the container goes on', async () => {
    await using here = await place(counter)
    await here.domain.start()
    const second = () => readFile(join(here.rootfs, 'var/second'), 'utf8').catch(() => '')
    await eventually(async () => ((await second()) === '' ? undefined : true))
    for (let round = 0; round < 5; round++) {
      const { name } = await here.domain.createSnapshot()
      const copy = join(here.world.path, 'lib/lxc/snapshots', here.domain.uuid, name)
      const [a, b] = await Promise.all(
        ['etc/first', 'var/second'].map(async (file) => Number(await readFile(join(copy, file), 'utf8'))),
      )
      expect([a, (a ?? 0) - 1]).toContain(b)
      const before = await second()
      await eventually(async () => (![before, ''].includes(await second()) ? true : undefined))
    }
  })

  test('keeps owners, modes and hard links, and nothing else is left beside the root', async () => {
    await using here = await place('exit 0')
    const file = join(here.rootfs, 'etc/odd')
    await writeFile(file, 'then', { mode: 0o640 })
    await chown(file, 1234, 2345)
    await link(file, join(here.rootfs, 'etc/same'))
    await here.domain.createSnapshot('<domainsnapshot><name>one</name></domainsnapshot>')
    await rm(file)
    await here.domain.revertToSnapshot('one')
    const [odd, same] = await Promise.all([stat(file), stat(join(here.rootfs, 'etc/same'))])
    expect([odd.uid, odd.gid, odd.mode & 0o7777, odd.ino]).toEqual([1234, 2345, 0o640, same.ino])
    expect(await readdir(join(here.rootfs, '..'))).toEqual(['rootfs'])
    await here.domain.deleteSnapshot('one')
    expect(await readdir(join(here.world.path, 'lib/lxc/snapshots'))).toEqual([])
  })

  test('that could only be deleted in part is listed, not reverted to, and can be deleted again', async () => {
    await using here = await place('exit 0')
    await here.domain.createSnapshot('<domainsnapshot><name>one</name></domainsnapshot>')
    const kept = join(here.world.path, 'lib/lxc/snapshots', here.domain.uuid)
    const busy = join(kept, 'one/var')
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', busy])
    try {
      await expect(here.domain.deleteSnapshot('one')).rejects.toMatchObject({ code: 'OPERATION_FAILED' })
      expect(await here.domain.listSnapshots()).toHaveLength(1)
      await expect(here.domain.revertToSnapshot('one')).rejects.toBeDefined()
    } finally {
      execFileSync('umount', ['-q', join(kept, '.covirt-old/var')])
    }
    expect(existsSync(join(here.rootfs, 'bin'))).toBe(true)
    await here.domain.deleteSnapshot('one')
    expect(await here.domain.listSnapshots()).toEqual([])
    expect(existsSync(kept)).toBe(false)
  })

  test('stays when one is taken whose name is the beginning of its own', async () => {
    await using here = await place('exit 0')
    for (const name of ['one.new', 'one'])
      await here.domain.createSnapshot(`<domainsnapshot><name>${name}</name></domainsnapshot>`)
    const kept = join(here.world.path, 'lib/lxc/snapshots', here.domain.uuid)
    expect((await readdir(kept)).sort()).toEqual(['one', 'one.new'])
  })

  test('that is cancelled leaves nothing, and the container runs on', async () => {
    await using here = await place(counter)
    await here.domain.start()
    const signal = AbortSignal.timeout(1)
    await here.domain.createSnapshot(undefined, { signal }).catch(() => {})
    await expect(isFrozen(await here.world.initPid(here.domain))).resolves.toBe(false)
    const taken = await here.domain.listSnapshots()
    const kept = join(here.world.path, 'lib/lxc/snapshots', here.domain.uuid)
    expect(existsSync(kept) ? (await readdir(kept)).length : 0).toBe(taken.length)
  })

  test('that a process died over leaves no container frozen', async () => {
    await using here = await place(counter)
    await here.domain.start()
    const pid = await here.world.initPid(here.domain)
    const { name, uuid } = here.domain
    await here.connection.close()
    await setFrozen(pid, true)
    await writeFile(join(here.world.path, 'run/lxc', uuid, 'held'), '')
    const again = await here.world.open()
    const domain = await again.domains.lookupByName(name)
    expect(await domain.state()).toMatchObject({ state: 'running' })
    expect(await isFrozen(pid)).toBe(false)
    await domain.destroy()
    await again.close()
  })
})

describeWhen(canRunLxc(), 'a tree that takes the place of another', () => {
  test.each([
    ['before it was complete', { tree: 'old', 'tree.covirt-new': 'half' }, 'old'],
    ['between the two', { 'tree.covirt-old': 'old', 'tree.covirt-new': 'new' }, 'new'],
    ['before the old one was removed', { tree: 'new', 'tree.covirt-old': 'old' }, 'new'],
  ])('and was cut off %s is settled', async (_, found, expected) => {
    await using root = await tempRoot()
    for (const [name, text] of Object.entries(found)) {
      await mkdir(root.join(name))
      await writeFile(root.join(name, 'file'), text)
    }
    await settleTree(root.join('tree'))
    expect(await readdir(root.path)).toEqual(['tree'])
    expect(await readFile(root.join('tree/file'), 'utf8')).toBe(expected)
  })

  test('is refused where something is mounted in the old one, which is kept', async () => {
    await using root = await tempRoot()
    for (const path of ['elsewhere', 'tree/mounted', 'source'])
      await mkdir(root.join(path), { recursive: true })
    await writeFile(root.join('elsewhere/file'), 'of somebody else')
    execFileSync('mount', ['--bind', root.join('elsewhere'), root.join('tree/mounted')])
    try {
      for (const act of [
        () => swapTree(root.join('tree'), root.join('source'), {}),
        () => removeTree(root.join('tree')),
      ])
        await expect(act()).rejects.toMatchObject({ message: expect.stringContaining('is mounted') })
    } finally {
      execFileSync('umount', [root.join('tree/mounted')])
    }
    expect((await readdir(root.path)).sort()).toEqual(['elsewhere', 'source', 'tree'])
    expect(await readFile(root.join('elsewhere/file'), 'utf8')).toBe('of somebody else')
  })

  test('is not reverted to while another container stands on the root that would change', async () => {
    await using here = await place('sleep 1000')
    await here.domain.createSnapshot('<domainsnapshot><name>one</name></domainsnapshot>')
    await writeFile(join(here.rootfs, 'etc/later'), '')
    const xml = (await here.domain.xml()).replaceAll(here.domain.name, uniqueName('linked'))
    const linked = await here.connection.domains.define(
      xml
        .replace(/<uuid>.*<\/uuid>/, '')
        .replace(
          /<filesystem type=.*?<target/s,
          `<filesystem type='template'><source name='${here.rootfs}'/><target`,
        ),
    )
    await expect(here.domain.revertToSnapshot('one')).rejects.toMatchObject({ code: 'OPERATION_INVALID' })
    expect(existsSync(join(here.rootfs, 'etc/later'))).toBe(true)
    await linked.undefine()
    await here.domain.revertToSnapshot('one')
    expect(existsSync(join(here.rootfs, 'etc/later'))).toBe(false)
  })

  test('that cannot be copied changes nothing', async () => {
    await using root = await tempRoot()
    await mkdir(root.join('tree'))
    await expect(swapTree(root.join('tree'), root.join('missing'), {})).rejects.toMatchObject({
      code: 'OPERATION_FAILED',
    })
    expect(await readdir(root.path)).toEqual(['tree'])
  })
})
