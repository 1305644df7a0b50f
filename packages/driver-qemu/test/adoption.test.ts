import { truncate, writeFile } from 'node:fs/promises'
import { systemClock } from '@covirt/core'
import { describe, expect, test } from '@jest/globals'
import { canRunQemu, describeWhen } from '../../../test/fixtures/index.js'
import { readProcessStat } from '../src/process/process-identity.js'
import { QemuProcess } from '../src/process/qemu-process.js'
import { Orphan } from './orphan.js'
import { processesWith, processOf } from './processes.js'
import { QemuWorld } from './qemu-world.js'

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

  test('begins a new log where the old one has grown long, which is kept until the next time', async () => {
    await using world = await QemuWorld.make('qemu', { agent: false })
    const logFile = world.path('log')
    await writeFile(logFile, 'old')
    await truncate(logFile, 2 * 1024 * 1024)
    for (const words of ['first', 'second']) {
      const args = ['-c', `echo ${words}`]
      const child = await QemuProcess.spawn({ program: '/bin/sh', args, directory: world.path('.'), logFile })
      await child.waitForEnd(systemClock, 10_000)
      expect(await child.lastWords()).toEqual([words])
    }
    const logs = [await world.read('log'), await world.read('log.1')]
    expect(logs.map((log) => ['old', 'first', 'second'].filter((word) => log.includes(word)))).toEqual([
      ['first', 'second'],
      ['old'],
    ])
  })
})
