import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection, Domain } from '@covirt/core'
import { expect, test } from '@jest/globals'
import { canRunKvm, canRunQemu, describeWhen, uniqueName } from '../../../test/fixtures/index.js'
import { firmwareXml, type GuestXml } from './guests.js'
import { processesWith, processOf } from './processes.js'
import { hears, QemuWorld } from './qemu-world.js'

const machines = ['pc', 'q35', 'microvm']

describeWhen(canRunQemu(), 'emulated', () => suite('qemu'))
describeWhen(canRunKvm(), 'on KVM', () => suite('kvm'))

function suite(type: 'qemu' | 'kvm'): void {
  test.each(machines)('%s comes up, and goes off at the power button', async (machine) => {
    await using scene = await Scene.make(type)
    const domain = await scene.create({ machine })
    const console = await scene.console(domain)
    const saysGoodbye = hears(console, 'FX-POWERBUTTON')
    await domain.shutdown({ mode: 'acpi' })
    await saysGoodbye
    expect(await domain.waitFor('shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
  })

  test.each(machines)('%s restarts at the reset button', async (machine) => {
    await using scene = await Scene.make(type)
    const domain = await scene.create({ machine })
    const console = await scene.console(domain)
    const comesUp = hears(console, 'FX-READY')
    await domain.reset()
    await comesUp
    expect(scene.events).toContain('reboot')
  })

  test.each(machines)('%s restarts when it is asked to, in the same process', async (machine) => {
    await using scene = await Scene.make(type)
    const domain = await scene.create({ machine })
    const pid = await processOf(domain.uuid)
    const console = await scene.console(domain)
    const comesUp = hears(console, 'FX-READY')
    await domain.reboot({ mode: 'acpi' })
    expect(await comesUp).toContain('FX-BYE')
    expect(await processOf(domain.uuid)).toBe(pid)
    expect(await domain.state()).toMatchObject({ state: 'running' })
    await scene.world.ready(domain)
    await domain.shutdown()
    await domain.waitFor('shutoff')
  })

  test.each(machines)('%s stands still while it is suspended', async (machine) => {
    await using scene = await Scene.make(type)
    const domain = await scene.create({ machine })
    await domain.suspend()
    const before = (await domain.info()).cpuTimeNs
    const console = await domain.openConsole({ force: true })
    let heard = ''
    console.on('data', (chunk: Buffer) => {
      heard += chunk.toString()
    })
    console.write('z')
    await sleep(100)
    expect(heard).toBe('')
    expect((await domain.info()).cpuTimeNs - before).toBeLessThan(90_000_000n)
    const answered = hears(console, 'FX-ECHO z')
    await domain.resume()
    await answered
  })

  test.each(machines)('%s that panics is kept where <on_crash> says so', async (machine) => {
    await using scene = await Scene.make(type)
    const domain = await scene.create({ machine, elements: '<on_crash>preserve</on_crash>' })
    await scene.world.panic(domain)
    expect(await domain.waitFor('crashed')).toEqual({ state: 'crashed', reason: 'panicked' })
    expect(await processesWith(domain.uuid)).toHaveLength(1)
  })

  test('a triple fault is a restart when emulated, and a crash on KVM', async () => {
    await using scene = await Scene.make(type)
    const domain = await scene.create({ elements: '<on_crash>preserve</on_crash>' })
    const console = await scene.console(domain)
    const outcome = Promise.race([
      hears(console, 'FX-READY').then(() => 'restarted'),
      domain.waitFor('crashed'),
    ])
    console.write('c')
    expect(await outcome).toEqual(type === 'qemu' ? 'restarted' : { state: 'crashed', reason: 'panicked' })
  })

  test('a QEMU that is killed from outside is a crash, and is noticed at once', async () => {
    await using scene = await Scene.make(type)
    const domain = await scene.create({})
    await scene.world.kill(domain)
    expect(await domain.waitFor('shutoff')).toEqual({ state: 'shutoff', reason: 'crashed' })
  })

  // QEMU 7.2 may wait for ever for a command that comes while it ends.
  test('a guest that is asked again and again to go off does so, and is known to have', async () => {
    await using scene = await Scene.make(type)
    const domain = await scene.create({})
    for (let times = 0; times < 4; times++) {
      await Promise.allSettled(Array.from({ length: 100 }, () => domain.shutdown({ mode: 'acpi' })))
      expect(await domain.waitFor('shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
      await domain.start()
      await scene.world.ready(domain)
    }
  })

  test('a QEMU that is asked to end from outside was destroyed', async () => {
    await using scene = await Scene.make(type)
    const domain = await scene.create({})
    process.kill(await processOf(domain.uuid), 'SIGTERM')
    expect(await domain.waitFor('shutoff')).toEqual({ state: 'shutoff', reason: 'destroyed' })
  })

  test('a QEMU that hangs is destroyed all the same', async () => {
    await using scene = await Scene.make(type)
    const domain = await scene.create({})
    process.kill(await processOf(domain.uuid), 'SIGSTOP')
    await domain.destroy()
    expect(await processesWith(domain.uuid)).toEqual([])
  })
}

/** A world with one connection, and what it tells. */
class Scene implements AsyncDisposable {
  readonly world: QemuWorld
  readonly events: string[] = []
  readonly #connection: Connection
  readonly #type: 'qemu' | 'kvm'

  private constructor(world: QemuWorld, connection: Connection, type: 'qemu' | 'kvm') {
    this.world = world
    this.#connection = connection
    this.#type = type
    connection.subscribe(({ type: kind }) => this.events.push(kind))
  }

  static async make(type: 'qemu' | 'kvm'): Promise<Scene> {
    const world = await QemuWorld.make(type, { agent: false })
    return new Scene(world, await world.open(), type)
  }

  /** A persistent domain that runs and listens. */
  async create(guest: Partial<GuestXml>): Promise<Domain> {
    const name = uniqueName('machine')
    const xml = await firmwareXml({ ...guest, name, type: this.#type })
    const domain = await this.#connection.domains.define(xml)
    await domain.start()
    await this.world.ready(domain)
    return domain
  }

  async console(domain: Domain) {
    return domain.openConsole({ force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const domain of await this.#connection.domains.list({ active: true })) await domain.destroy()
    await this.#connection.close()
    await this.world[Symbol.asyncDispose]()
  }
}
