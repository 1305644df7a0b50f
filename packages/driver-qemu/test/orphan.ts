import { writeFile } from 'node:fs/promises'
import { expect } from '@jest/globals'
import { uniqueName } from '../../../test/fixtures/index.js'
import { firmwareXml } from './guests.js'
import { OtherProcess } from './other-process.js'
import { processesWith } from './processes.js'
import { QemuWorld } from './qemu-world.js'

/** A domain whose process has died at some step. */
export class Orphan implements AsyncDisposable {
  readonly world: QemuWorld
  readonly name: string
  readonly uuid: string

  private constructor(world: QemuWorld, name: string, uuid: string) {
    this.world = world
    this.name = name
    this.uuid = uuid
  }

  get runDirectory(): string {
    return this.world.path(`run/qemu/${this.uuid}`)
  }

  /** Where the process that died has noted the guest. */
  get statusFile(): string {
    return this.world.path(`run/qemu/${this.name}.json`)
  }

  static async after(step: string, emulator?: string): Promise<Orphan> {
    const world = await QemuWorld.make('qemu', { agent: false })
    const [name, uuid] = [uniqueName('orphan'), crypto.randomUUID()]
    const orphan = new Orphan(world, name, uuid)
    const devices = emulator === undefined ? '' : `<emulator>${world.path(emulator)}</emulator>`
    await writeFile(world.path('domain.xml'), await firmwareXml({ name, uuid, devices }))
    const other = await OtherProcess.start([world.uri, world.path('domain.xml'), step])
    expect(await other.says()).toBe(step)
    if (emulator !== undefined) while ((await processesWith(uuid)).length === 0) await turn()
    await other.kill()
    return orphan
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of await processesWith(this.uuid)) process.kill(pid, 'SIGKILL')
    await this.world[Symbol.asyncDispose]()
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
