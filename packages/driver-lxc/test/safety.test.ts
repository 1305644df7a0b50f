import { execFileSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Connection, Domain, Logger } from '@covirt/core'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import {
  busyboxRootfs,
  canRunLxc,
  describeWhen,
  type TempRoot,
  tempRoot,
  uniqueName,
} from '../../../test/fixtures/index.js'
import { eventually, LxcWorld, privileged, removeRootfs } from './lxc-fixture.js'

/** One that sleeps, and writes nothing. */
const sleeper = '<init>/bin/sleep</init><initarg>1000</initarg>'

describeWhen(canRunLxc(), 'a container that asks for nothing', () => {
  let root: TempRoot
  let world: LxcWorld
  let connection: Connection
  let rootfs: string
  const warnings: string[] = []

  beforeAll(async () => {
    root = await tempRoot()
    rootfs = await busyboxRootfs(root.join('rootfs'))
    // Nobody but root may come to it, as where create-container puts them.
    await chmod(root.path, 0o700)
    const source = join(dirname(fileURLToPath(import.meta.url)), 'forbidden.c')
    execFileSync('gcc', [
      '-Wall',
      '-Wextra',
      '-Werror',
      '-Os',
      '-static',
      '-o',
      join(rootfs, 'forbidden'),
      source,
    ])
    world = await LxcWorld.make()
    const logger: Logger = {
      debug: () => {},
      info: () => {},
      warn: (message) => void warnings.push(message),
      error: () => {},
    }
    connection = await world.open({ logger })
  })

  afterAll(async () => {
    for (const domain of await connection.domains.list({ active: true })) await domain.destroy()
    await connection.close()
    await world[Symbol.asyncDispose]()
    await root[Symbol.asyncDispose]()
    await removeRootfs()
  })

  function start(os: string, { elements = '', devices = '' } = {}): Promise<Domain> {
    return connection.domains.create(`<domain type='lxc'><name>${uniqueName('safe')}</name>
      <memory unit='MiB'>64</memory>${elements}<os><type>exe</type>${os}</os>
      <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem>${devices}</devices></domain>`)
  }

  async function deeds(elements = ''): Promise<ReadonlyMap<string, string>> {
    const domain = await start('<init>/forbidden</init>', { elements })
    const log = await eventually(async () => {
      const text = await world.consoleLog(domain)
      return text.includes('that was all') ? text : undefined
    })
    await domain.destroy()
    return new Map([...log.matchAll(/^([a-z-]+): (.*?)\r?$/gm)].map(([, name = '', end = '']) => [name, end]))
  }

  test('may do none of what is forbidden', async () => {
    const found = await deeds()
    expect([...found].filter(([, end]) => end === 'done')).toEqual([])
    expect(found.size).toBeGreaterThanOrEqual(25)
  })

  test('may do no more than change ids, where it is privileged and says so', async () => {
    warnings.length = 0
    const found = await deeds(privileged)
    const done = [...found].filter(([, end]) => end === 'done').map(([name]) => name)
    expect(done).toEqual(expect.arrayContaining(['foreign-owner', 'foreign-user']))
    expect(
      done.filter(
        (name) =>
          ![
            'foreign-owner',
            'foreign-user',
            'real-time',
            'writable-proc-sys',
            'bare-proc-sys',
            'debugfs',
            'securityfs',
          ].includes(name),
      ),
    ).toEqual([])
    expect(warnings).toContainEqual(expect.stringContaining('privileged'))
  })

  test('has a root file system that is, when it has gone, what it was', async () => {
    const before = pictureOf(rootfs)
    const domain = await start(sleeper)
    await domain.destroy()
    expect(pictureOf(rootfs)).toEqual(before)
  })

  test('sees owners as they are on disk, in further directories too', async () => {
    const data = root.join('data')
    await mkdir(data)
    await writeFile(join(data, 'file'), '')
    const script =
      '<init>/bin/sh</init><initarg>-c</initarg><initarg>stat -c %u /bin/sh /data/file > /data/owners; touch /data/made; sleep 1000</initarg>'
    const domain = await start(script, {
      devices: `<filesystem type='mount'><source dir='${data}'/><target dir='/data'/></filesystem>`,
    })
    await eventually(() => existsSync(join(data, 'made')) || undefined)
    expect(readFileSync(join(data, 'owners'), 'utf8')).toBe('0\n0\n')
    expect((await stat(join(data, 'made'))).uid).toBe(0)
    await domain.destroy()
  })

  test('has ids that no other has, shown in its live document', async () => {
    const domains = await Promise.all([start(sleeper), start(sleeper)])
    const targets = await Promise.all(
      domains.map(async (domain) => /<uid start='0' target='(\d+)'/.exec(await domain.xml())?.[1]),
    )
    const owner = (await stat(`/proc/${await world.initPid(domains[0] as Domain)}`)).uid
    expect(Number(targets[0])).toBe(owner)
    expect(new Set(targets).size).toBe(2)
    await Promise.all(domains.map((domain) => domain.destroy()))
    expect(readdirSync(join(world.path, 'lib/lxc/id-ranges'))).toEqual([])
  })

  test('has ids that no container of another root has, also while it is off', async () => {
    await using other = await LxcWorld.make()
    await using ours = await world.open()
    await using theirs = await other.open()
    const [name, uuid] = [uniqueName('ids'), randomUUID()]
    const owners: number[] = []
    for (const [at, connection] of [
      [world, ours],
      [other, theirs],
      [world, ours],
    ] as const) {
      const domain = await connection.domains.define(world.domainXml({ name, uuid }))
      await domain.start()
      owners.push((await stat(`/proc/${await at.initPid(domain)}`)).uid)
      await domain.destroy()
    }
    const [first, second, again] = owners
    expect(second).not.toBe(first)
    expect(again).toBe(first)
    for (const connection of [ours, theirs]) await (await connection.domains.lookupByUuid(uuid)).undefine()
  })

  test('made for one program has fewer capabilities and cannot get more', async () => {
    const preset =
      "<metadata><c:container xmlns:c='urn:covirt:lxc:1'><c:preset>application</c:preset></c:container></metadata>"
    const domain = await start(sleeper, { elements: preset })
    const status = readFileSync(`/proc/${await world.initPid(domain)}/status`, 'utf8')
    const effective = BigInt(`0x${/^CapEff:\s*(\w+)$/m.exec(status)?.[1]}`)
    const sysAdmin = 21n
    expect((effective >> sysAdmin) & 1n).toBe(0n)
    expect(status).toMatch(/^NoNewPrivs:\s*1$/m)
    await domain.destroy()
  })
})

/** Of each file: what it is, whose, when it was changed, and its content. */
function pictureOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .concat('.')
    .sort()
    .map((name) => {
      const path = join(directory, name)
      const file = lstatSync(path, { bigint: true })
      const content = file.isFile() ? readFileSync(path) : file.isSymbolicLink() ? readlinkSync(path) : ''
      const hash = createHash('sha256').update(content).digest('hex')
      return [name, file.mode, file.uid, file.gid, file.size, file.mtimeNs, file.ctimeNs, hash].join(' ')
    })
}
