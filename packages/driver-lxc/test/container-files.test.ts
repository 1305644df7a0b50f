import { execFileSync } from 'node:child_process'
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import type { Connection, Domain } from '@covirt/core'
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals'
import { busyboxRootfs, canRunLxc, describeWhen, tempRoot } from '../../../test/fixtures/index.js'
import { eventually, LxcWorld, removeRootfs } from './lxc-fixture.js'

afterAll(removeRootfs)

describeWhen(canRunLxc(), 'the files of a container', () => {
  let world: LxcWorld
  let own: Awaited<ReturnType<typeof tempRoot>>
  let connection: Connection
  let domain: Domain
  /** Its root file system, a file of the host that it must never reach, and the directory of that. */
  let rootfs: string
  let outside: string
  let secret: string

  beforeEach(async () => {
    world = await LxcWorld.make()
    own = await tempRoot()
    connection = await world.open()
    rootfs = await busyboxRootfs(own.join('rootfs'))
    outside = own.join('outside')
    secret = join(outside, 'secret')
    mkdirSync(outside)
    writeFileSync(secret, 'of the host')
    const name = world.uniqueName('files')
    domain = await connection.domains.define(world.domainXml({ name }).replace(world.rootfs, rootfs))
  })

  afterEach(async () => {
    if (await domain.isActive()) await domain.destroy()
    await connection.close()
    await own[Symbol.asyncDispose]()
    await world[Symbol.asyncDispose]()
  })

  const both = async (act: () => Promise<void>) => {
    await act()
    await domain.start()
    await world.ready(domain)
    await act()
  }
  const codeOf = async (call: () => Promise<unknown>) => {
    try {
      await call()
      return 'none'
    } catch (error) {
      return (error as { cause?: { code?: string } }).cause?.code
    }
  }

  test('of a clone that is off are not those of its template', async () => {
    const xml = world
      .domainXml({ name: world.uniqueName('files') })
      .replace(/<filesystem type='[a-z]+'>/, "<filesystem type='template'>")
      .replace(`dir='${world.rootfs}'`, `name='${rootfs}' dir='${own.join('changes')}'`)
    const clone = await connection.domains.define(xml)
    const call = clone.writeFile?.('/etc/new', 'x')
    await expect(call).rejects.toMatchObject({ code: 'OPERATION_INVALID' })
    await expect(clone.removeFile?.('/etc', { recursive: true })).rejects.toMatchObject({
      code: 'OPERATION_INVALID',
    })
    expect(existsSync(join(rootfs, 'etc/new'))).toBe(false)
  })

  test('links to places outside lead to what is there inside', async () => {
    symlinkSync(secret, join(rootfs, 'absolute'))
    symlinkSync(`../../../../../../../../..${secret}`, join(rootfs, 'relative'))
    symlinkSync(outside, join(rootfs, 'directory'))
    await both(async () => {
      for (const path of ['/absolute', '/relative', '/directory/secret', `/../../..${secret}`]) {
        expect(await codeOf(() => domain.readFile(path))).toBe('ENOENT')
        expect(await codeOf(() => domain.writeFile(path, 'of the guest'))).toBe('ENOENT')
        expect(await codeOf(() => domain.statFile(path))).toBe('ENOENT')
      }
      expect(await codeOf(() => domain.listDirectory('/directory'))).toBe('ENOENT')
      expect(await codeOf(() => domain.makeDirectory('/directory/new', { parents: true }))).toBe('EEXIST')
      expect(await codeOf(() => domain.removeFile('/directory/secret'))).toBe('ENOENT')
    })
    expect(readdirSync(outside)).toEqual(['secret'])
    expect(readFileSync(secret, 'utf8')).toBe('of the host')
  })

  test('links within are followed, and a file behind one is replaced where it is', async () => {
    symlinkSync('/etc/real', join(rootfs, 'link'))
    await both(async () => {
      await domain.writeFile('/link', 'content')
      expect(lstatSync(join(rootfs, 'link')).isSymbolicLink()).toBe(true)
      expect(readFileSync(join(rootfs, 'etc/real'), 'utf8')).toBe('content')
      expect(await domain.statFile('/link', { noFollow: true })).toMatchObject({
        ...{ type: 'link', target: '/etc/real' },
      })
      expect(await domain.statFile('/link')).toMatchObject({ type: 'file', sizeBytes: 7 })
    })
  })

  test('removing a tree removes its links, not what they lead to, and nothing that is mounted in it', async () => {
    mkdirSync(join(rootfs, 'tree/deep'), { recursive: true })
    symlinkSync(outside, join(rootfs, 'tree/deep/link'))
    await domain.removeFile('/tree', { recursive: true })
    expect(existsSync(join(rootfs, 'tree'))).toBe(false)
    expect(readFileSync(secret, 'utf8')).toBe('of the host')
    await domain.start()
    await world.ready(domain)
    await run('mkdir -p /tree/mounted; mount -t tmpfs none /tree/mounted; touch /tree/mounted/file')
    expect(await codeOf(() => domain.removeFile('/tree', { recursive: true }))).toBe('EBUSY')
    expect(await domain.statFile('/tree/mounted/file')).toMatchObject({ type: 'file' })
    await run(
      'mkdir /kept /tree/bound; touch /kept/file; umount /tree/mounted; mount --bind /kept /tree/bound',
    )
    expect(await codeOf(() => domain.removeFile('/tree', { recursive: true }))).toBe('EBUSY')
    expect(await codeOf(() => domain.removeFile('/tree/bound', { recursive: true }))).toBe('EBUSY')
    expect(await domain.statFile('/kept/file')).toMatchObject({ type: 'file' })
  })

  test('a loop of links ends', async () => {
    symlinkSync('two', join(rootfs, 'one'))
    symlinkSync('one', join(rootfs, 'two'))
    await both(async () => {
      expect(await codeOf(() => domain.readFile('/one'))).toBe('ELOOP')
      expect(await codeOf(() => domain.writeFile('/one', ''))).toBe('ELOOP')
    })
  })

  test('devices, FIFOs and sockets are neither read nor written', async () => {
    execFileSync('mkfifo', [join(rootfs, 'fifo')])
    execFileSync('mknod', [join(rootfs, 'null'), 'c', '1', '3'])
    await both(async () => {
      for (const path of ['/fifo', '/null']) {
        expect(await codeOf(() => domain.readFile(path))).toBe('ENOTSUP')
        expect(await codeOf(() => domain.writeFile(path, 'text'))).toBe('ENOTSUP')
      }
      expect(await domain.statFile('/fifo')).toMatchObject({ type: 'fifo' })
    })
    expect(await codeOf(() => domain.readFile('/dev/console'))).toBe('ENOTSUP')
  })

  test('the magic links of /proc are no way out', async () => {
    await domain.start()
    await world.ready(domain)
    for (const path of ['/proc/1/root/etc/hostname', '/proc/self/root', '/proc/1/cwd', '/proc/1/exe']) {
      expect(['ELOOP', 'ENOENT', 'EACCES']).toContain(await codeOf(() => domain.readFile(path)))
    }
  })

  test('what is mounted in a running container is seen, as it sees it', async () => {
    await domain.start()
    await world.ready(domain)
    await run('mount -t tmpfs none /tmp; echo inside > /tmp/file')
    expect(await text(await domain.readFile('/tmp/file'))).toBe('inside\n')
    expect(existsSync(join(rootfs, 'tmp/file'))).toBe(false)
    expect(await text(await domain.readFile('/proc/sys/kernel/hostname'))).toBe(`${domain.name}\n`)
  })

  test('a guest that changes its links all the time never gets a file of the host read or changed', async () => {
    await domain.start()
    await world.ready(domain)
    await run('mkdir -p /swap/a /swap/b; echo inside > /swap/a/secret')
    const script = `while :; do ln -sfn /swap/a /swap/way; ln -sfn ../../../../../../../..${outside} /swap/way; done`
    const guest = await domain.exec(['/bin/sh', '-c', script])
    for (let round = 0; round < 40; round++) {
      const read = await domain
        .readFile('/swap/way/secret')
        .then(text)
        .catch(() => '')
      expect(read).not.toContain('of the host')
      await domain.writeFile('/swap/way/secret', 'inside').catch(() => {})
      await domain.removeFile('/swap/way/other', { recursive: true }).catch(() => {})
    }
    guest.kill('SIGKILL')
    await guest.exit
    expect(readFileSync(secret, 'utf8')).toBe('of the host')
    expect(readdirSync(outside)).toEqual(['secret'])
  })

  test('owners are counted as the guest does, and are on disk what its id map makes of them', async () => {
    execFileSync('chown', ['-R', '100000:100000', rootfs])
    const idmap = `<idmap><uid start='0' target='100000' count='65536'/><gid start='0' target='100000' count='65536'/></idmap>`
    const xml = (await domain.xml({ inactive: true })).replace('<os>', `${idmap}<os>`)
    await connection.domains.define(xml)
    chownSync(join(rootfs, 'etc'), 100_007, 100_008)
    expect(await domain.statFile('/etc')).toMatchObject({ uid: 7, gid: 8 })
    await domain.writeFile('/etc/mine', 'text', { uid: 12, gid: 34 })
    await domain.writeFile('/etc/roots', 'text')
    expect(statSync(join(rootfs, 'etc/mine'))).toMatchObject({ uid: 100_012, gid: 100_034 })
    expect(statSync(join(rootfs, 'etc/roots'))).toMatchObject({ uid: 100_000, gid: 100_000 })
    expect(await domain.statFile('/etc/mine')).toMatchObject({ uid: 12, gid: 34 })
  })

  test('a reading that is cancelled midway fails with the error of a cancelled call', async () => {
    truncateSync(join(rootfs, 'etc/group'), 1e10)
    const controller = new AbortController()
    const stream = await domain.readFile('/etc/group', { signal: controller.signal })
    const reading = finished(stream.resume())
    controller.abort()
    await expect(reading).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
  })

  test('a reader that stops reading leaves nothing behind', async () => {
    await domain.writeFile('/big', Buffer.alloc(8 << 20))
    const stream = await domain.readFile('/big')
    stream.destroy()
    await eventually(() => (helpers() === 0 ? true : undefined))
  })

  async function run(script: string): Promise<void> {
    const { exit } = await domain.exec(['/bin/sh', '-c', script], { stdin: '' })
    expect(await exit).toEqual({ code: 0 })
  }

  /** Programs of ours that work on files of this domain. */
  function helpers(): number {
    return readdirSync('/proc').filter((pid) => {
      if (!/^\d+$/.test(pid)) return false
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return words.includes('\0files\0') && words.includes(domain.name) && readlinkSync(`/proc/${pid}/exe`)
      } catch {
        return false
      }
    }).length
  }
})
