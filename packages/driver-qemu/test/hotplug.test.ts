import { writeFile } from 'node:fs/promises'
import { setImmediate as turn } from 'node:timers/promises'
import type { Connection, Domain } from '@covirt/core'
import { expect, test } from '@jest/globals'
import { canRunQemu, describeWhen, uniqueName } from '../../../test/fixtures/index.js'
import { connectUnix } from '../src/process/unix-socket.js'
import { QmpChannel } from '../src/qmp/qmp-channel.js'
import { guestXml } from './guests.js'
import { QemuWorld } from './qemu-world.js'
import { RunningGuest } from './running-guest.js'

const nic = "<interface type='user'><mac address='52:54:00:00:00:77'/><model type='virtio'/></interface>"

describeWhen(canRunQemu(), 'devices of guests that run', () => {
  test('a disk is attached, counted, and let go of with its image', async () => {
    await using scene = await RunningGuest.start()
    const { domain, world } = scene
    const xml = disk(await image(world, 'spare'), "<target dev='vdb' bus='virtio'/>")
    await domain.attachDevice(xml)
    expect(await targetsOf(domain)).toEqual(['hda', 'vdb'])
    await domain.detachDevice(xml)
    expect(await targetsOf(domain)).toEqual(['hda'])
    await domain.attachDevice(xml)
    expect(await targetsOf(domain)).toEqual(['hda', 'vdb'])
  })

  test('a disk whose image is missing is not attached, and can be once it is there', async () => {
    await using scene = await RunningGuest.start()
    const { domain, world } = scene
    const xml = disk(world.path('late'), "<target dev='vdb' bus='virtio'/>")
    await expect(domain.attachDevice(xml)).rejects.toMatchObject({ code: 'OPERATION_FAILED' })
    expect(await domain.xml()).not.toContain('vdb')
    await image(world, 'late')
    await domain.attachDevice(xml)
    expect(await targetsOf(domain)).toEqual(['hda', 'vdb'])
  })

  test('what has no bus to be plugged into is refused', async () => {
    await using scene = await RunningGuest.start()
    const { domain, world } = scene
    const xml = disk(await image(world, 'spare'), "<target dev='sdb' bus='sata'/>")
    await expect(domain.attachDevice(xml)).rejects.toMatchObject({
      code: 'OPERATION_UNSUPPORTED',
      hint: expect.stringContaining('virtio'),
    })
  })

  test('the interfaces that are left keep their aliases, also for the next connection', async () => {
    await using scene = await RunningGuest.start()
    const [first, second] = [nic, nic.replace(':77', ':78')]
    await scene.domain.attachDevice(first)
    await scene.domain.attachDevice(second)
    await scene.domain.detachDevice(first)
    expect(await scene.domain.xml()).toContain("<alias name='net1'/>")
    const domain = await scene.reopen()
    expect(await domain.xml()).toContain("<alias name='net1'/>")
    await domain.attachDevice(first)
    expect(await domain.xml()).toContain("<alias name='net0'/>")
    await domain.detachDevice(second)
    await domain.detachDevice(first)
    expect(await domain.xml()).not.toContain('<interface')
  })

  test('a guest that does not let go of a device keeps it until it does', async () => {
    await using scene = await RunningGuest.start('deaf')
    const { domain, world } = scene
    await domain.attachDevice(nic)
    await expect(domain.detachDevice(nic)).rejects.toMatchObject({ code: 'OPERATION_TIMEOUT' })
    expect(await domain.xml()).toContain('<interface')
    // A reset takes away what was to be let go of.
    const rebooted = new Promise<void>((resolve) => {
      domain.subscribe(({ type }) => type === 'reboot' && resolve())
    })
    await world.restart(domain)
    await rebooted
    while ((await domain.xml()).includes('<interface')) await turn()
    await domain.attachDevice(nic)
  })

  test('what a guest lets go of while no process watches is gone for the next one', async () => {
    await using scene = await RunningGuest.start()
    const { world } = scene
    const devices = [nic, disk(await image(world, 'spare'), "<target dev='vdb' bus='virtio'/>")]
    for (const xml of devices) await scene.domain.attachDevice(xml)
    const domain = await scene.reopen(() => unplug(world, scene.domain.uuid, ['net0', 'virtio-disk1']))
    while (/<interface|vdb/.test(await domain.xml())) await turn()
    expect(await targetsOf(domain)).toEqual(['hda'])
    const again = await scene.reopen()
    expect(await again.xml()).not.toMatch(/<interface|vdb/)
    for (const xml of devices) await again.attachDevice(xml)
  })

  test('a device is detached that its guest has let go of, though nobody heard of it', async () => {
    await using scene = await RunningGuest.start()
    using deletions = unheardDeletions()
    const domain = await scene.reopen()
    await domain.attachDevice(nic)
    const first = domain.detachDevice(nic, { signal: deletions.first })
    await expect(first).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
    expect(await domain.xml()).toContain('<interface')
    await domain.detachDevice(nic)
    expect(await domain.xml()).not.toContain('<interface')
    await domain.attachDevice(nic)
  })

  test('the medium of a drive is changed, and stays where the new one is missing', async () => {
    await using scene = await Machine.start({
      devices: (world) => drive(world.path('one'), 'ide'),
      files: ['one', 'two'],
    })
    const { domain, world } = scene
    await domain.updateDevice(drive(world.path('two'), 'ide'))
    expect(await pathsOf(domain)).toEqual([world.path('two')])
    await expect(domain.updateDevice(drive(world.path('missing'), 'ide'))).rejects.toMatchObject({
      code: 'OPERATION_FAILED',
    })
    expect(await pathsOf(domain)).toEqual([world.path('two')])
    expect(await domain.xml()).toContain(world.path('two'))
    await domain.updateDevice(drive(undefined, 'ide'))
    expect(await domain.xml()).not.toContain(world.path('two'))
    await domain.updateDevice(drive(world.path('one'), 'ide'))
    expect(await pathsOf(domain)).toEqual([world.path('one')])
  })

  test('a q35 machine has as many devices plugged in as it has ports', async () => {
    const port = "<controller type='pci' model='pcie-root-port'/>"
    await using scene = await Machine.start({ machine: 'q35', devices: () => port })
    const { domain } = scene
    await domain.attachDevice(nic)
    expect(await domain.xml()).toContain("bus='0x01'")
    await expect(domain.attachDevice(nic.replace(':77', ':78'))).rejects.toMatchObject({
      code: 'OPERATION_UNSUPPORTED',
      hint: expect.stringContaining('pcie-root-port'),
    })
  })

  test('processors are plugged in, and none are taken out', async () => {
    await using scene = await Machine.start({ elements: "<vcpu current='1'>3</vcpu>" })
    const { domain } = scene
    await domain.setVcpus(3)
    expect(await domain.getVcpus()).toBe(3)
    const { vcpus } = await domain.statistics({ parts: ['vcpus'] })
    expect(vcpus).toHaveLength(3)
    await expect(domain.setVcpus(2)).rejects.toMatchObject({ code: 'OPERATION_UNSUPPORTED' })
    await expect(domain.setVcpus(4, { maximum: true })).rejects.toMatchObject({
      code: 'OPERATION_UNSUPPORTED',
    })
    expect(await domain.xml()).toContain("<vcpu current='3'>3</vcpu>")
  })

  test('a guest whose devices have changed is saved, and restored with them', async () => {
    await using scene = await RunningGuest.start()
    const { domain } = scene
    const [first, second] = [nic, nic.replace(':77', ':78')]
    await domain.attachDevice(first)
    await domain.attachDevice(second)
    await domain.detachDevice(first)
    await domain.managedSave()
    await domain.start()
    expect(await domain.state()).toEqual({ state: 'running', reason: 'restored' })
    expect(await domain.xml()).toContain(':78')
    expect(await domain.xml()).not.toContain(':77')
    expect(await scene.ticks()).toBeGreaterThan(0)
  })
})

/** A machine of its own kind that stands before its first instruction. */
class Machine implements AsyncDisposable {
  readonly world: QemuWorld
  readonly connection: Connection
  readonly domain: Domain

  private constructor(world: QemuWorld, connection: Connection, domain: Domain) {
    this.world = world
    this.connection = connection
    this.domain = domain
  }

  static async start(what: {
    readonly machine?: string
    readonly elements?: string
    readonly devices?: (world: QemuWorld) => string
    readonly files?: readonly string[]
  }): Promise<Machine> {
    const world = await QemuWorld.make('qemu', { agent: false })
    for (const file of what.files ?? []) await image(world, file)
    const connection = await world.open()
    const xml = guestXml({
      name: uniqueName('machine'),
      machine: what.machine,
      devices: what.devices?.(world) ?? '',
    })
    const own = what.elements === undefined ? xml : xml.replace('<vcpu>1</vcpu>', what.elements)
    const domain = await connection.domains.create(own, { paused: true })
    return new Machine(world, connection, domain)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (await this.domain.isActive()) await this.domain.destroy()
    await this.connection.close()
    await this.world[Symbol.asyncDispose]()
  }
}

/** Takes devices away from a guest that no connection has, and waits until it has let go of them. */
async function unplug(world: QemuWorld, uuid: string, aliases: readonly string[]): Promise<void> {
  const monitor = await QmpChannel.open(await connectUnix(world.path(`run/qemu/${uuid}`), 'monitor.sock'))
  const left = new Set<unknown>(aliases)
  const gone = new Promise<void>((resolve, reject) => {
    monitor.listen({
      event: ({ name, data }) => {
        if (name === 'DEVICE_DELETED') left.delete(data.device)
        if (left.size === 0) resolve()
      },
      closed: reject,
    })
  })
  for (const id of aliases) await monitor.execute('device_del', { id })
  await gone
  monitor.close()
}

/** Until disposed of, connections that are opened do not hear what guests let go of; `first` fires where one would have. */
function unheardDeletions() {
  const first = new AbortController()
  const { listen } = QmpChannel.prototype
  QmpChannel.prototype.listen = function (listener) {
    listen.call(this, {
      event: (event) => (event.name === 'DEVICE_DELETED' ? first.abort() : listener.event(event)),
      closed: (error) => listener.closed(error),
    })
  }
  return {
    first: first.signal,
    [Symbol.dispose]() {
      QmpChannel.prototype.listen = listen
    },
  }
}

async function image(world: QemuWorld, name: string): Promise<string> {
  await writeFile(world.path(name), Buffer.alloc(1 << 20))
  return world.path(name)
}

function disk(path: string, target: string): string {
  return `<disk type='file'><driver name='qemu' type='raw'/><source file='${path}'/>${target}</disk>`
}

function drive(path: string | undefined, bus: string): string {
  const source = path === undefined ? '' : `<driver name='qemu' type='raw'/><source file='${path}'/>`
  return `<disk type='file' device='cdrom'>${source}<target dev='hdc' bus='${bus}'/><readonly/></disk>`
}

async function blocksOf(domain: Domain) {
  return (await domain.statistics({ parts: ['blocks'] })).blocks ?? []
}

async function targetsOf(domain: Domain): Promise<string[]> {
  return (await blocksOf(domain)).map(({ target }) => target)
}

async function pathsOf(domain: Domain): Promise<(string | undefined)[]> {
  return (await blocksOf(domain)).map(({ path }) => path)
}
