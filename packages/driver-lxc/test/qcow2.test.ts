import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import type { Domain } from '@covirt/core'
import { afterAll, expect, test } from '@jest/globals'
import { canRunLxc, describeWhen, tempRoot } from '../../../test/fixtures/index.js'
import { findProcesses } from '../src/host/processes.js'
import { LxcWorld, removeRootfs } from './lxc-fixture.js'

const missing = ['/usr/bin/qemu-storage-daemon', '/usr/bin/qemu-img', '/dev/fuse'].find(
  (path) => !existsSync(path),
)

afterAll(removeRootfs)

describeWhen(canRunLxc() ?? (missing && `${missing} is missing`), 'a container with a qcow2 image', () => {
  test('keeps what it writes, also over a restart of ours, and leaves no process and no mount', async () => {
    await using place = await Place.make()
    const { world, image } = place
    const connection = await world.open()
    const domain = await connection.domains.define(place.xml())
    await domain.start()
    await world.ready(domain)
    await connection.close()
    await using again = await world.open()
    const found = await again.domains.lookupByName(domain.name)
    expect(await run(found, 'cat /image/hello; echo kept > /image/made')).toBe('hello\n')
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toContain(`${world.path}/run`)
    await found.destroy()
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(world.path)
    expect(
      await findProcesses('qemu-storage-daemon', [`${world.path}/run/lxc/${domain.uuid}/images/1.pid`]),
    ).toEqual([])
    await found.start()
    expect(await run(found, 'cat /image/made')).toBe('kept\n')
    await found.destroy()
    expect(execFileSync('qemu-img', ['check', image], { encoding: 'utf8' })).toContain('No errors')
  })

  test('does not start where another one has it, and leaves that one alone', async () => {
    await using place = await Place.make()
    const { world } = place
    await using connection = await world.open()
    const first = await connection.domains.create(place.xml())
    const second = await connection.domains.define(place.xml())
    await expect(second.start()).rejects.toMatchObject({ code: 'RESOURCE_BUSY' })
    await world.ready(first)
    expect(await run(first, 'cat /image/hello')).toBe('hello\n')
    await first.destroy()
    await second.start()
    await second.destroy()
  })
})

class Place implements AsyncDisposable {
  readonly world: LxcWorld
  readonly image: string
  readonly #directory: AsyncDisposable

  private constructor(world: LxcWorld, image: string, directory: AsyncDisposable) {
    this.world = world
    this.image = image
    this.#directory = directory
  }

  static async make(): Promise<Place> {
    const directory = await tempRoot()
    const image = directory.join('image.qcow2')
    const script = `mkdir content; echo hello > content/hello
      mke2fs -q -t ext4 -d content raw 8M; qemu-img convert -f raw -O qcow2 raw "$1"`
    execFileSync('sh', ['-ec', script, '-', image], { cwd: directory.path })
    return new Place(await LxcWorld.make(), image, directory)
  }

  xml(): string {
    const { world, image } = this
    return world
      .domainXml({ name: world.uniqueName('qcow') })
      .replace(
        '</devices>',
        `<filesystem type='file'><driver type='nbd' format='qcow2'/><source file='${image}'/><target dir='/image'/></filesystem></devices>`,
      )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]()
    await this.#directory[Symbol.asyncDispose]()
  }
}

async function run(domain: Domain, script: string): Promise<string> {
  const program = await domain.exec(['/bin/sh', '-c', script], { stdin: '' })
  const [said] = await Promise.all([text(program.stdout), program.exit])
  return said
}
