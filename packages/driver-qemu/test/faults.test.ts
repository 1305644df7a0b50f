import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmod, open, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import {
  canRunKvm,
  canRunQemu,
  describeWhen,
  needsRoot,
  testWhen,
  uniqueName,
} from '../../../test/fixtures/index.js'
import { firmwareXml, type GuestXml } from './guests.js'
import { OtherProcess } from './other-process.js'
import { processesWith } from './processes.js'
import { QemuWorld } from './qemu-world.js'

const run = promisify(execFile)
const uuid = () => crypto.randomUUID()

describeWhen(canRunQemu(), 'a guest that cannot start', () => {
  test('for want of its disk is refused by name', async () => {
    await using fault = await Fault.make()
    const path = fault.world.path('no-such-disk')
    const error = await fault.start({ devices: virtioDisk(path) })
    expect(error).toMatchObject({ code: 'OPERATION_FAILED', hint: expect.stringContaining('exist') })
    expect(error.message).toContain(path)
  })

  test('because another QEMU holds its disk says so', async () => {
    await using fault = await Fault.make()
    const path = fault.world.path('disk.raw')
    await writeFile(path, Buffer.alloc(1 << 20))
    const holder = await fault.holder({ devices: virtioDisk(path) })
    const error = await fault.start({ devices: virtioDisk(path) })
    expect(error).toMatchObject({ code: 'RESOURCE_BUSY', hint: expect.stringContaining('Another process') })
    expect(await holder.isActive()).toBe(true)
    await holder.destroy()
  })

  test('because its disk has another format is told how to find out which', async () => {
    await using fault = await Fault.make()
    const path = fault.world.path('disk.raw')
    await writeFile(path, Buffer.alloc(1 << 20))
    const error = await fault.start({ devices: virtioDisk(path, 'qcow2') })
    expect(error).toMatchObject({ code: 'OPERATION_FAILED', hint: expect.stringContaining('qemu-img info') })
  })

  test('because its image says no format of the file it is based on is told how to mend it', async () => {
    await using fault = await Fault.make()
    const [base, path] = [fault.world.path('base.raw'), fault.world.path('top.qcow2')]
    await writeFile(base, Buffer.alloc(1 << 20))
    await run('qemu-img', ['create', '-f', 'qcow2', '-b', base, '-F', 'raw', path])
    await forgetBackingFormat(path)
    const error = await fault.start({ devices: virtioDisk(path, 'qcow2') })
    expect(error).toMatchObject({
      code: 'OPERATION_FAILED',
      hint: expect.stringContaining('qemu-img rebase'),
    })
  })

  test('because its VNC port is taken is told that it is', async () => {
    await using fault = await Fault.make()
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const error = await fault.start({ devices: `<graphics type='vnc' port='${port}' autoport='no'/>` })
    expect(error).toMatchObject({ code: 'RESOURCE_BUSY', hint: expect.stringContaining('port') })
    server.close()
  })

  test('for want of its emulator is told what to install', async () => {
    await using fault = await Fault.make()
    const error = await fault.start({ devices: '<emulator>/no/such/qemu</emulator>' })
    expect(error).toMatchObject({ code: 'OPERATION_FAILED', hint: expect.stringContaining('apt install') })
    expect(error.message).toContain('/no/such/qemu')
  })

  test('because its QEMU dies quotes what QEMU said', async () => {
    await using fault = await Fault.make()
    const emulator = fault.world.path('dies')
    await writeFile(emulator, '#!/bin/sh\necho "qemu-system-x86_64: the cat ate it" >&2\nexit 3\n')
    await chmod(emulator, 0o755)
    const error = await fault.start({ devices: `<emulator>${emulator}</emulator>` })
    expect(error.code).toBe('OPERATION_FAILED')
    expect(error.message).toContain('the cat ate it')
    expect(error.cause).toEqual(['qemu-system-x86_64: the cat ate it'])
  })

  testWhen(needsRoot(), 'because its bridge does not exist is told which', async () => {
    await using fault = await Fault.make()
    const error = await fault.start({
      devices: "<interface type='bridge'><source bridge='cv-no-bridge'/></interface>",
    })
    expect(error).toMatchObject({ code: 'OPERATION_FAILED', hint: expect.stringContaining('cv-no-bridge') })
  })

  test('for want of memory is told that it is too much', async () => {
    await using fault = await Fault.make()
    const error = await fault.start({
      memoryKib: 2 ** 40,
      elements: '<memoryBacking><locked/></memoryBacking>',
    })
    expect(error).toMatchObject({ code: 'NO_MEMORY', hint: expect.stringContaining('<memory>') })
  })

  testWhen(needsRoot() ?? canRunKvm(), 'because there is no KVM is told to emulate', async () => {
    await using world = await QemuWorld.make('kvm', { agent: false })
    await writeFile(world.path('domain.xml'), await firmwareXml({ name: uniqueName('no-kvm'), type: 'kvm' }))
    await using other = await OtherProcess.start([world.uri, world.path('domain.xml'), 'started'], {
      within: ['unshare', '-m', 'sh', '-c', 'mount --bind /dev/null /dev/kvm && exec "$@"', 'sh'],
    })
    expect(JSON.parse(await other.says())).toMatchObject({
      code: 'CONFIG_UNSUPPORTED',
      hint: expect.stringContaining("<domain type='qemu'>"),
    })
  })
})

/** Starts what cannot start, and checks that nothing is left of it. */
class Fault implements AsyncDisposable {
  readonly world: QemuWorld
  readonly connection: Awaited<ReturnType<QemuWorld['open']>>

  private constructor(world: QemuWorld, connection: Fault['connection']) {
    this.world = world
    this.connection = connection
  }

  static async make(): Promise<Fault> {
    const world = await QemuWorld.make('qemu', { agent: false })
    return new Fault(world, await world.open())
  }

  async holder(guest: Partial<GuestXml>) {
    return this.connection.domains.create(await firmwareXml({ ...guest, name: uniqueName('holder') }))
  }

  async start(guest: Partial<GuestXml>): Promise<Error & { code: string; hint?: string }> {
    const id = uuid()
    const domain = await this.connection.domains.define(
      await firmwareXml({ ...guest, name: uniqueName('fault'), uuid: id }),
    )
    const error = await domain.start().then(
      () => undefined,
      (reason) => reason,
    )
    expect(error).toBeInstanceOf(Error)
    expect(await domain.isActive()).toBe(false)
    expect(await processesWith(id)).toEqual([])
    return error
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close()
    await this.world[Symbol.asyncDispose]()
  }
}

function virtioDisk(path: string, type = 'raw'): string {
  return `<disk type='file'><driver type='${type}'/><source file='${path}'/><target dev='vda'/></disk>`
}

/** Turns the header's extension that names the format into one that nobody knows, as old images have none. */
async function forgetBackingFormat(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    const { buffer } = await file.read(Buffer.alloc(4096), { position: 0 })
    const extension = buffer.indexOf(Buffer.from('e2792aca', 'hex'))
    await file.write(Buffer.from('0badcafe', 'hex'), 0, 4, extension)
  } finally {
    await file.close()
  }
}
