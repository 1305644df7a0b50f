import { mkdir, readdir } from 'node:fs/promises'
import { isVirError, silentLogger, systemClock } from '@covirt/core'
import type { AdoptSpec, Guest, GuestSink } from '@covirt/local'
import { parseDomain } from '@covirt/xml'
import { expect, test } from '@jest/globals'
import { canRunQemu, describeWhen, uniqueName } from '../../../test/fixtures/index.js'
import { QemuHypervisor } from '../src/index.js'
import { connectUnix } from '../src/process/unix-socket.js'
import { firmwareXml } from './guests.js'
import { processesWith, processOf } from './processes.js'
import { QemuWorld } from './qemu-world.js'

describeWhen(canRunQemu(), 'a QEMU that does not answer', () => {
  test('is not adopted, and told of in a way that lets a person act', async () => {
    await using stopped = await Stopped.make()
    const error = await stopped.adopt()
    expect(error).toMatchObject({ code: 'OPERATION_TIMEOUT', hint: expect.stringContaining('destroy') })
    expect(String(error)).toContain(String(stopped.pid))
    expect(await processesWith(stopped.uuid)).toEqual([stopped.pid])
  })

  test('is told of in the same way where nobody can so much as connect to it', async () => {
    await using stopped = await Stopped.make()
    await stopped.fillBacklog()
    expect(await stopped.adopt()).toMatchObject({
      code: 'OPERATION_TIMEOUT',
      hint: expect.stringContaining('destroy'),
    })
  })

  test('is ended by its record, with nothing left', async () => {
    await using stopped = await Stopped.make()
    await stopped.hypervisor.kill(stopped.spec)
    expect(await processesWith(stopped.uuid)).toEqual([])
    expect(await readdir(stopped.spec.places.runDirectory)).toEqual([])
  })

  test('is ended where nobody noted it', async () => {
    await using stopped = await Stopped.make()
    await stopped.hypervisor.kill({ ...stopped.spec, record: undefined })
    expect(await processesWith(stopped.uuid)).toEqual([])
  })

  test('is ended where what was noted makes no sense', async () => {
    await using stopped = await Stopped.make()
    await stopped.hypervisor.kill({ ...stopped.spec, record: { pid: 'none' } })
    expect(await processesWith(stopped.uuid)).toEqual([])
  })

  test('is adopted where what was noted makes no sense, once it answers', async () => {
    await using stopped = await Stopped.make()
    process.kill(stopped.pid, 'SIGCONT')
    const guest = await stopped.hypervisor.adopt({ ...stopped.spec, record: { pid: 'none' } }, {})
    expect(guest?.phase).toBe('running')
    await guest?.kill()
  })

  test('is ended though its definition makes no sense to this version', async () => {
    await using stopped = await Stopped.make()
    const document = {
      ...stopped.spec.document,
      os: { ...stopped.spec.document.os, firmware: 'efi' as const },
    }
    await stopped.hypervisor.kill({ ...stopped.spec, document })
    expect(await processesWith(stopped.uuid)).toEqual([])
  })

  test('is ended with the program that wraps it', async () => {
    await using stopped = await Stopped.make('wrapped')
    await stopped.hypervisor.kill({ ...stopped.spec, record: undefined })
    expect(await processesWith(stopped.uuid)).toEqual([])
  })

  test('is left alone where another process has its number in the record', async () => {
    await using stopped = await Stopped.make()
    await stopped.hypervisor.kill({ ...stopped.spec, record: { pid: stopped.pid, startTime: '1' } })
    expect(await processesWith(stopped.uuid)).toEqual([stopped.pid])
  })

  test('needs no ending where there is none', async () => {
    await using stopped = await Stopped.make()
    await stopped.hypervisor.kill(stopped.spec)
    await expect(stopped.hypervisor.kill(stopped.spec)).resolves.toBeUndefined()
  })
})

const sink: GuestSink = {
  ended() {},
  exited() {},
  rebooted() {},
  phaseChanged() {},
  agentChanged() {},
  changed() {},
  devicesChanged() {},
}

/** A guest that somebody launched and let go of, whose QEMU then was stopped. */
class Stopped implements AsyncDisposable {
  readonly hypervisor = new QemuHypervisor({ path: '', version: '', machines: [] })
  readonly spec: AdoptSpec
  readonly pid: number
  readonly #world: QemuWorld
  readonly #connected: { destroy(): void }[] = []

  private constructor(world: QemuWorld, spec: AdoptSpec, pid: number) {
    this.#world = world
    this.spec = spec
    this.pid = pid
  }

  static async make(emulator?: string): Promise<Stopped> {
    const world = await QemuWorld.make('qemu', { agent: false })
    const domain = { name: uniqueName('stopped'), uuid: crypto.randomUUID(), id: 1 }
    const places = {
      runDirectory: world.path('run'),
      stateDirectory: world.path('.'),
      logFile: world.path('log'),
    }
    await mkdir(places.runDirectory)
    const devices = emulator === undefined ? '' : `<emulator>${world.path(emulator)}</emulator>`
    const hypervisor = new QemuHypervisor({ path: '', version: '', machines: [] })
    const document = hypervisor.prepare(parseDomain(await firmwareXml({ ...domain, devices })))
    const spec = { domain, document, places, sink, clock: systemClock, logger: silentLogger }
    const guest: Guest = await hypervisor.launch({ ...spec, paused: false }, {})
    const { record } = guest
    await guest.release()
    const pid =
      emulator === undefined ? await processOf(domain.uuid) : Math.max(...(await processesWith(domain.uuid)))
    process.kill(pid, 'SIGSTOP')
    return new Stopped(world, { ...spec, record }, pid)
  }

  get uuid(): string {
    return this.spec.domain.uuid
  }

  /** What adoption rejects with. */
  async adopt(): Promise<unknown> {
    return this.hypervisor.adopt(this.spec, {}).then(
      () => undefined,
      (error: unknown) => (isVirError(error) ? error : new TypeError('not a VirError', { cause: error })),
    )
  }

  /** Connects to the monitor until the kernel lets nobody wait any more. */
  async fillBacklog(): Promise<void> {
    for (;;) {
      const socket = await connectUnix(this.spec.places.runDirectory, 'monitor.sock').catch(() => undefined)
      if (!socket) return
      this.#connected.push(socket)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#connected) socket.destroy()
    for (const pid of await processesWith(this.uuid)) process.kill(pid, 'SIGKILL')
    await this.#world[Symbol.asyncDispose]()
  }
}
