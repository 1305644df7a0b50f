import { once } from 'node:events'
import { stat, writeFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import type { Connection, Domain } from '@covirt/core'
import { expect, test } from '@jest/globals'
import {
  canRunQemu,
  describeWhen,
  needsRoot,
  netnsBridge,
  testWhen,
  uniqueName,
} from '../../../test/fixtures/index.js'
import { firmwareXml } from './guests.js'
import { hears, QemuWorld } from './qemu-world.js'

describeWhen(canRunQemu(), 'what QEMU tells of its guests', () => {
  test('what a guest has written to its disk is counted', async () => {
    await using scene = await Scene.open()
    const disk = scene.world.path('disk.raw')
    await writeFile(disk, Buffer.alloc(1 << 20))
    const domain = await scene.start(
      `<disk type='file'><driver name='qemu' type='raw'/><source file='${disk}'/><target dev='hda' bus='ide'/></disk>`,
    )
    const before = await blockOf(domain)
    expect(before).toMatchObject({ target: 'hda', path: disk, capacityBytes: 1n << 20n })
    const console = await domain.openConsole()
    const written = hears(console, 'FX-WROTE 256 OK')
    console.write('W')
    await written
    const after = await blockOf(domain)
    expect(after?.writeRequests).toBe((before?.writeRequests ?? 0n) + 1n)
    expect(after?.writeBytes).toBe((before?.writeBytes ?? 0n) + 512n)
    expect(after?.writeTimeNs).toBeGreaterThan(0n)
    expect(after?.allocationBytes).toBe(BigInt((await stat(disk)).blocks * 512))
  })

  test('the processors of a guest that is busy use time, and its memory is on the host', async () => {
    await using scene = await Scene.open()
    const domain = await scene.start("<memballoon model='virtio'><stats period='5'/></memballoon>")
    const { vcpus, memory, interfaces, blocks } = await domain.statistics()
    expect(vcpus).toEqual([expect.objectContaining({ number: 0, state: 'running' })])
    expect(vcpus?.[0]?.hostCpu).toBeGreaterThanOrEqual(0)
    expect(memory).toMatchObject({ actualKib: 65536n })
    expect(memory?.residentKib).toBeGreaterThan(1000n)
    expect([interfaces, blocks]).toEqual([[], []])
  })

  testWhen(needsRoot(), 'the counters of a NIC are those of its link, seen from the guest', async () => {
    await using bridge = await netnsBridge()
    await using scene = await Scene.open()
    const domain = await scene.start(
      `<interface type='bridge'><source bridge='${bridge.name}'/><target dev='${bridge.name.slice(0, 14)}t'/><model type='virtio'/></interface>`,
    )
    const { interfaces } = await domain.statistics({ parts: ['interfaces'] })
    expect(interfaces).toEqual([
      expect.objectContaining({ target: `${bridge.name.slice(0, 14)}t`, sentBytes: expect.any(BigInt) }),
    ])
  })

  test('a screen is pictured in its size', async () => {
    await using scene = await Scene.open()
    const domain = await scene.start(
      "<video><model type='bochs'><resolution x='800' y='600'/></model></video>",
    )
    const { mimeType, stream } = await domain.screenshot()
    const picture = await buffer(stream)
    expect(mimeType).toBe('image/png')
    // PNG (RFC 2083): width and height follow the name of the first chunk.
    expect(picture.readUInt32BE(16)).toBeGreaterThan(0)
    expect(picture.readUInt32BE(20)).toBeGreaterThan(0)
    await expect(domain.openGraphics()).rejects.toMatchObject({ code: 'INVALID_ARG' })
  })

  test('a display on a TCP port is connected to as one on a socket', async () => {
    await using scene = await Scene.open()
    const domain = await scene.start("<graphics type='vnc' port='-1' autoport='yes'/>")
    const display = await domain.openGraphics()
    const [greeting] = await once(display, 'data')
    expect(String(greeting)).toBe('RFB 003.008\n')
    display.destroy()
  })
})

/** A world with a connection, for one guest. */
class Scene implements AsyncDisposable {
  readonly world: QemuWorld
  readonly #connection: Connection
  #domain: Domain | undefined

  private constructor(world: QemuWorld, connection: Connection) {
    this.world = world
    this.#connection = connection
  }

  static async open(): Promise<Scene> {
    const world = await QemuWorld.make('qemu', { agent: false })
    return new Scene(world, await world.open())
  }

  async start(devices: string): Promise<Domain> {
    const xml = await firmwareXml({ name: uniqueName('roles'), devices })
    const domain = await this.#connection.domains.create(xml)
    this.#domain = domain
    await this.world.ready(domain)
    return domain
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#domain?.destroy()
    await this.#connection.close()
    await this.world[Symbol.asyncDispose]()
  }
}

async function blockOf(domain: Domain) {
  const { blocks } = await domain.statistics({ parts: ['blocks'] })
  return blocks?.[0]
}
