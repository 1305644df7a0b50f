import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import { canRunQemu, describeWhen, needsRoot, testWhen } from '../../../test/fixtures/index.js'
import { Orphan } from './orphan.js'
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
      /<memory[^/]*<\/memory>/,
      "<memory unit='MiB'>32</memory>",
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
