import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Connection, Domain } from '@covirt/core'
import { expect, test } from '@jest/globals'
import { canRunQemu, describeWhen, needsRoot, testWhen, uniqueName } from '../../../test/fixtures/index.js'
import { QmpChannel } from '../src/qmp/qmp-channel.js'
import { Orphan } from './orphan.js'
import { QemuWorld } from './qemu-world.js'
import { RunningGuest } from './running-guest.js'

const run = promisify(execFile)

describeWhen(canRunQemu(), 'guests that are saved', () => {
  testWhen(
    needsRoot(),
    'a guest goes on whose state found no room on the disk, and nothing of it is left there',
    async () => {
      await using running = await RunningGuest.start()
      const { world, domain } = running
      const disk = world.path('small')
      await mkdir(disk)
      await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk])
      try {
        await expect(domain.save(`${disk}/guest`)).rejects.toMatchObject({
          code: 'OPERATION_FAILED',
          message: expect.stringContaining('ENOSPC'),
        })
        expect(await readdir(disk)).toEqual([])
      } finally {
        await run('umount', [disk])
      }
      expect(await domain.state()).toMatchObject({ state: 'running' })
      expect(await running.ticks()).toBeGreaterThan(0)
    },
  )

  test('the clock of a guest goes on where it stood', async () => {
    await using running = await RunningGuest.start()
    const { domain } = running
    const before = await running.ticks()
    await domain.managedSave()
    await domain.start()
    const after = await running.ticks()
    expect(after).toBeGreaterThanOrEqual(before)
    expect(after - before).toBeLessThan(1000)
  })

  test('a damaged state is told and kept, and the domain boots by force', async () => {
    await using running = await RunningGuest.start()
    const { world, domain } = running
    await domain.managedSave()
    const file = world.path(`lib/qemu/save/${domain.uuid}.save`)
    const whole = await readFile(file)
    const damages: Readonly<Record<string, Buffer>> = {
      'a part of it is missing': whole.subarray(0, whole.length - 1000),
      'its checksum is wrong': Buffer.from(
        whole.map((byte, at) => (at === whole.length >> 1 ? byte ^ 1 : byte)),
      ),
      'it is not a saved guest': Buffer.from('something else'),
    }
    for (const [message, damaged] of Object.entries(damages)) {
      await writeFile(file, damaged)
      await expect(domain.start()).rejects.toMatchObject({
        code: 'OPERATION_FAILED',
        message: expect.stringContaining(message),
        hint: expect.stringContaining('--force-boot'),
      })
      expect(await domain.hasManagedSave()).toBe(true)
      expect(await domain.isActive()).toBe(false)
    }
    await domain.start({ forceBoot: true })
    expect(await domain.state()).toEqual({ state: 'running', reason: 'booted' })
  })

  test('a state that QEMU cannot use is told in its words, and kept', async () => {
    await using running = await RunningGuest.start()
    const { world, domain } = running
    const file = world.path('guest')
    await domain.save(file)
    const { domains } = running.connection
    const xml = (await domains.savedXml(file)).replace(
      /<(memory|currentMemory)[^/]*<\/\1>/g,
      "<$1 unit='MiB'>32</$1>",
    )
    await expect(domains.restore(file, { xml })).rejects.toMatchObject({
      code: 'OPERATION_FAILED',
      message: expect.stringContaining('QEMU cannot use the saved state'),
    })
    expect(await domain.isActive()).toBe(false)
    await domains.restore(file)
    expect(await domain.isActive()).toBe(true)
  })

  test('a guest goes on that was being saved by a process that was killed', async () => {
    await using orphan = await Orphan.after('saving')
    await using connection = await orphan.world.open()
    const domain = await connection.domains.lookupByName(orphan.name)
    expect(await domain.hasManagedSave()).toBe(false)
    expect(await domain.state()).toEqual({ state: 'running', reason: 'save-canceled' })
    await orphan.world.ready(domain)
    expect(await readdir(orphan.world.path('lib/qemu/save'))).toEqual([])
  })

  test('a guest is ended that had been saved when the process was killed', async () => {
    await using orphan = await Orphan.after('saved')
    await using connection = await orphan.world.open()
    const domain = await connection.domains.lookupByName(orphan.name)
    expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'saved' })
    expect(await domain.hasManagedSave()).toBe(true)
    await domain.start()
    expect(await domain.state()).toEqual({ state: 'running', reason: 'restored' })
    await orphan.world.ready(domain)
  })
})

const one = '<domainsnapshot><name>one</name></domainsnapshot>'

describeWhen(canRunQemu(), 'snapshots of machines', () => {
  test('a revert that finds one of the images in use changes none, and does not happen later', async () => {
    await using scene = await TwoDisks.make()
    const { domain } = scene
    {
      await using _ = await holding(scene.second)
      await expect(domain.revertToSnapshot('one')).rejects.toMatchObject({ code: 'RESOURCE_BUSY' })
    }
    await domain.start({ paused: true })
    await domain.destroy()
    expect(await scene.world.storage.read(domain)).toBe('now')
    await domain.revertToSnapshot('one')
    expect(await scene.world.storage.read(domain)).toBe('then')
  })

  test('a revert that fails before it has changed anything does not happen later', async () => {
    await using scene = await TwoDisks.make()
    const { domain, world } = scene
    {
      await using _ = await failingReverts(world)
      await expect(domain.revertToSnapshot('one')).rejects.toMatchObject({
        message: expect.stringContaining('out of order'),
      })
    }
    await domain.start({ paused: true })
    await domain.destroy()
    expect(await world.storage.read(domain)).toBe('now')
  })

  test('one whose image is in use is not deleted, and can be once that is free', async () => {
    await using scene = await TwoDisks.make()
    const { domain, first, second } = scene
    {
      await using _ = await holding(second)
      await expect(domain.deleteSnapshot('one')).rejects.toMatchObject({ code: 'RESOURCE_BUSY' })
    }
    expect(await domain.listSnapshots()).toHaveLength(1)
    await domain.deleteSnapshot('one')
    expect(await domain.listSnapshots()).toEqual([])
    expect([await tagsOf(first), await tagsOf(second)]).toEqual([0, 0])
  })

  test('one that is cancelled while QEMU takes it leaves nothing', async () => {
    await using scene = await RunningGuest.start()
    const { domain, world } = scene
    const cancelled = new AbortController()
    const { execute } = QmpChannel.prototype
    QmpChannel.prototype.execute = function (command, ...rest) {
      const answer = execute.call(this, command, ...rest)
      if (command === 'transaction') cancelled.abort()
      return answer
    }
    try {
      const taken = domain.createSnapshot(one, { diskOnly: true, signal: cancelled.signal })
      await expect(taken).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
    } finally {
      QmpChannel.prototype.execute = execute
    }
    expect(await domain.listSnapshots()).toEqual([])
    expect(await tagsOf(world.path(`${domain.name}.qcow2`))).toBe(0)
  })

  test('one is deleted from under a guest that was given a disk without snapshots', async () => {
    await using scene = await RunningGuest.start()
    const { domain, world } = scene
    await domain.createSnapshot(one, { diskOnly: true })
    const raw = world.path('raw')
    await writeFile(raw, Buffer.alloc(1 << 20))
    await domain.attachDevice(
      `<disk type='file'><driver name='qemu' type='raw'/><source file='${raw}'/><target dev='vdb' bus='virtio'/></disk>`,
    )
    await domain.deleteSnapshot('one')
    expect(await domain.listSnapshots()).toEqual([])
    expect(await tagsOf(world.path(`${domain.name}.qcow2`))).toBe(0)
  })
})

/** A domain that is off and has two disks, with a snapshot from when `then` was on the first; now there is `now`. */
class TwoDisks implements AsyncDisposable {
  readonly world: QemuWorld
  readonly domain: Domain
  readonly first: string
  readonly second: string
  readonly #connection: Connection

  private constructor(world: QemuWorld, connection: Connection, domain: Domain) {
    this.world = world
    this.domain = domain
    this.first = world.path(`${domain.name}.qcow2`)
    this.second = world.path('second.qcow2')
    this.#connection = connection
  }

  static async make(): Promise<TwoDisks> {
    const world = await QemuWorld.make('qemu', { agent: false })
    const second = world.path('second.qcow2')
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', second, '1M'])
    const connection = await world.open()
    const disk = `<disk type='file'><driver name='qemu' type='qcow2'/><source file='${second}'/><target dev='vdb' bus='virtio'/></disk>`
    const xml = world.domainXml({ name: uniqueName('disks') }).replace('</devices>', `${disk}</devices>`)
    const domain = await connection.domains.define(xml)
    await world.storage.write(domain, 'then')
    await domain.createSnapshot(one)
    await world.storage.write(domain, 'now')
    return new TwoDisks(world, connection, domain)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close()
    await this.world[Symbol.asyncDispose]()
  }
}

/** Has another program read an image until disposed of. */
async function holding(image: string): Promise<AsyncDisposable> {
  const reader = spawn('qemu-io', ['-r', '-f', 'qcow2', image], { stdio: ['pipe', 'pipe', 'inherit'] })
  // It asks what to do once it has the image.
  await once(reader.stdout, 'data')
  return {
    async [Symbol.asyncDispose]() {
      const ended = once(reader, 'exit')
      reader.stdin.end()
      await ended
    },
  }
}

/** Until disposed of, qemu-img reverts no image. */
async function failingReverts(world: QemuWorld): Promise<AsyncDisposable> {
  const path = process.env.PATH
  const directory = world.path('programs')
  await mkdir(directory)
  await writeFile(
    `${directory}/qemu-img`,
    `#!/bin/sh
for each; do [ "$each" != -a ] || { echo 'out of order' >&2; exit 1; }; done
PATH='${path}'
exec qemu-img "$@"
`,
  )
  await chmod(`${directory}/qemu-img`, 0o755)
  process.env.PATH = `${directory}:${path}`
  return {
    async [Symbol.asyncDispose]() {
      process.env.PATH = path
    },
  }
}

/** How many snapshots an image has. */
async function tagsOf(image: string): Promise<number> {
  const { stdout } = await run('qemu-img', ['info', '--force-share', '--output=json', image])
  return (JSON.parse(stdout).snapshots ?? []).length
}
