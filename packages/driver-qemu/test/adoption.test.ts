import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { systemClock } from '@covirt/core'
import { describe, expect, test } from '@jest/globals'
import { canRunQemu, describeWhen, uniqueName } from '../../../test/fixtures/index.js'
import { readProcessStat } from '../src/process/process-identity.js'
import { QemuProcess } from '../src/process/qemu-process.js'
import { firmwareXml } from './guests.js'
import { OtherProcess } from './other-process.js'
import { processesWith, processOf } from './processes.js'
import { hears, QemuWorld } from './qemu-world.js'

describeWhen(canRunQemu(), 'after the death of the process that launched it', () => {
  test('a guest runs on, and the next process has it, its console and its end', async () => {
    await using orphan = await Orphan.after('started')
    await using conn = await orphan.world.open()
    const domain = await conn.domains.lookupByName(orphan.name)
    expect(await domain.state()).toMatchObject({ state: 'running' })
    await orphan.world.ready(domain)
    await domain.shutdown()
    expect(await domain.waitFor('shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
  })

  test('its end is noticed where it is killed', async () => {
    await using orphan = await Orphan.after('started')
    await using conn = await orphan.world.open()
    const domain = await conn.domains.lookupByName(orphan.name)
    await orphan.world.kill(domain)
    expect(await domain.waitFor('shutoff')).toEqual({ state: 'shutoff', reason: 'crashed' })
  })

  test('a guest that hangs is destroyed all the same', async () => {
    await using orphan = await Orphan.after('started')
    await using conn = await orphan.world.open()
    const domain = await conn.domains.lookupByName(orphan.name)
    process.kill(await processOf(orphan.uuid), 'SIGSTOP')
    await domain.destroy()
    expect(await processesWith(orphan.uuid)).toEqual([])
  })

  test('a guest that was started paused is still paused', async () => {
    await using orphan = await Orphan.after('suspended')
    await using conn = await orphan.world.open()
    const domain = await conn.domains.lookupByName(orphan.name)
    expect(await domain.state()).toMatchObject({ state: 'paused' })
    await domain.resume()
    await orphan.world.ready(domain)
    await domain.destroy()
  })

  test('a launch that had not come to its end is undone', async () => {
    await using orphan = await Orphan.after('starting', 'slow')
    await using conn = await orphan.world.open()
    const domain = await conn.domains.lookupByName(orphan.name)
    expect(await domain.state()).toMatchObject({ state: 'shutoff' })
    expect(await processesWith(orphan.uuid)).toEqual([])
  })

  test('a guest that went down meanwhile to be restarted is started', async () => {
    await using orphan = await Orphan.after('asked')
    const serial = connect(orphan.world.path(`run/qemu/${orphan.uuid}/serial0.sock`))
    const goesDown = hears(serial, 'FX-BYE')
    serial.write('p')
    await goesDown
    serial.destroy()
    await using conn = await orphan.world.open()
    const domain = await conn.domains.lookupByName(orphan.name)
    expect(await domain.state()).toMatchObject({ state: 'running' })
    await orphan.world.ready(domain)
    await domain.shutdown()
    await domain.waitFor('shutoff')
  })
})

describe('a process that was noted', () => {
  test('is not taken over where its pid is another one by now', async () => {
    const own = await readProcessStat(process.pid)
    const startTime = String(Number(own?.startTime) - 1)
    expect(
      await QemuProcess.adopt({ pid: process.pid, startTime }, process.execPath, '/dev/null'),
    ).toBeUndefined()
  })

  test('is not taken over where it is no QEMU of that domain', async () => {
    const { startTime = '' } = (await readProcessStat(process.pid)) ?? {}
    const adopted = await QemuProcess.adopt({ pid: process.pid, startTime }, crypto.randomUUID(), '/dev/null')
    expect(adopted).toBeUndefined()
  })
})

describe('a process of ours', () => {
  test('that has ended is known by its exit status and its last words', async () => {
    await using world = await QemuWorld.make('qemu', { agent: false })
    const child = await QemuProcess.spawn({
      program: '/bin/sh',
      args: ['-c', 'echo "2026-01-01T00:00:00.000000Z last words"; exit 7'],
      directory: world.path('.'),
      logFile: world.path('log'),
    })
    expect(await child.waitForEnd(systemClock, 10_000)).toEqual({ code: 7, signal: undefined })
    expect(await child.lastWords()).toEqual(['last words'])
  })
})

/** A domain whose process has died at some step. */
class Orphan implements AsyncDisposable {
  readonly world: QemuWorld
  readonly name: string
  readonly uuid: string

  private constructor(world: QemuWorld, name: string, uuid: string) {
    this.world = world
    this.name = name
    this.uuid = uuid
  }

  static async after(step: string, emulator?: string): Promise<Orphan> {
    const world = await QemuWorld.make('qemu', { agent: false })
    const [name, uuid] = [uniqueName('orphan'), crypto.randomUUID()]
    const orphan = new Orphan(world, name, uuid)
    const devices = emulator === undefined ? '' : `<emulator>${world.path(emulator)}</emulator>`
    await writeFile(world.path('domain.xml'), await firmwareXml({ name, uuid, devices }))
    const other = new OtherProcess('starter.ts', [world.uri, world.path('domain.xml'), step])
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
