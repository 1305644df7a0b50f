import { copyFile, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'
import { canRunQemu, describeWhen, firmwareGuest, uniqueName } from '../../../test/fixtures/index.js'
import { guestXml } from './guests.js'
import { OtherProcess } from './other-process.js'
import { processesWith } from './processes.js'
import { QemuWorld } from './qemu-world.js'

const variablesBytes = 64 * 1024
const hugeBytes = 512 * 1024 * 1024

describeWhen(canRunQemu(), 'the variables of a firmware', () => {
  test('are made from the template before the first start, for QEMU alone to write', async () => {
    await using scene = await Scene.make()
    await using conn = await scene.world.open()
    const domain = await conn.domains.create(await scene.xml())
    await scene.world.ready(domain)
    await domain.destroy()
    const { size, mode } = await stat(scene.variables)
    expect({ size, mode: mode & 0o777 }).toEqual({ size: variablesBytes, mode: 0o600 })
  })

  test('that are there are kept', async () => {
    await using scene = await Scene.make()
    await writeFile(scene.variables, Buffer.alloc(variablesBytes, 'v'))
    await using conn = await scene.world.open()
    const domain = await conn.domains.create(await scene.xml())
    await domain.destroy()
    expect((await readFile(scene.variables)).equals(Buffer.alloc(variablesBytes, 'v'))).toBe(true)
  })

  test('that a start has made are gone where it fails', async () => {
    await using scene = await Scene.make()
    await using conn = await scene.world.open()
    await expect(conn.domains.create(await scene.xml('/no/such/qemu'))).rejects.toThrow('/no/such/qemu')
    expect(await readdir(scene.directory)).toEqual([])
  })

  test('that were there are kept where a start fails', async () => {
    await using scene = await Scene.make()
    await writeFile(scene.variables, 'own')
    await using conn = await scene.world.open()
    await expect(conn.domains.create(await scene.xml('/no/such/qemu'))).rejects.toThrow('/no/such/qemu')
    expect(await readFile(scene.variables, 'utf8')).toBe('own')
  })

  test('are never seen half made, and what a process that died amid it left is cleared by the next', async () => {
    await using scene = await Scene.make()
    await truncate(scene.template, hugeBytes)
    await writeFile(scene.world.path('domain.xml'), await scene.xml())
    const other = await OtherProcess.start([scene.world.uri, scene.world.path('domain.xml'), 'starting'])
    await other.says()
    while ((await readdir(scene.directory)).length === 0) await turn()
    await other.kill()
    expect(await stat(scene.variables).catch(() => undefined)).toBeUndefined()
    await copyFile(await firmwareGuest(), scene.template)
    await using conn = await scene.world.open()
    const domain = await conn.domains.lookupByName(scene.name)
    await domain.start()
    await domain.destroy()
    expect(await readdir(scene.directory)).toEqual(['variables.fd'])
    expect((await stat(scene.variables)).size).toBe(variablesBytes)
  })

  test('that cannot be made are told of by name', async () => {
    await using scene = await Scene.make()
    await using conn = await scene.world.open()
    const xml = (await scene.xml()).replace(scene.template, '/no/such/template')
    await expect(conn.domains.create(xml)).rejects.toMatchObject({
      code: 'OPERATION_FAILED',
      message: expect.stringContaining('/no/such/template'),
      hint: expect.stringContaining('template'),
    })
  })
})

/** A domain with a firmware in flash, and a directory for its variables alone. */
class Scene implements AsyncDisposable {
  readonly world: QemuWorld
  readonly name = uniqueName('nvram')
  readonly #uuid = crypto.randomUUID()

  private constructor(world: QemuWorld) {
    this.world = world
  }

  static async make(): Promise<Scene> {
    const scene = new Scene(await QemuWorld.make('qemu', { agent: false }))
    await mkdir(scene.directory)
    await copyFile(await firmwareGuest(), scene.template)
    return scene
  }

  get directory(): string {
    return this.world.path('nvram')
  }

  get variables(): string {
    return this.world.path('nvram/variables.fd')
  }

  get template(): string {
    return this.world.path('template.fd')
  }

  async xml(emulator?: string): Promise<string> {
    const os = `<loader type='pflash' readonly='yes'>${await firmwareGuest()}</loader>
      <nvram template='${this.template}'>${this.variables}</nvram>`
    const devices = emulator === undefined ? '' : `<emulator>${emulator}</emulator>`
    return guestXml({ name: this.name, uuid: this.#uuid, os, devices })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of await processesWith(this.#uuid)) process.kill(pid, 'SIGKILL')
    await this.world[Symbol.asyncDispose]()
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
