import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Connection } from '@covirt/core'
import { expect, test } from '@jest/globals'
import { canRunQemu, describeWhen } from '../../../test/fixtures/index.js'
import { connectUnix } from '../src/process/unix-socket.js'
import { QmpChannel } from '../src/qmp/qmp-channel.js'
import { Orphan } from './orphan.js'
import { hears } from './qemu-world.js'
import { RunningGuest } from './running-guest.js'

describeWhen(canRunQemu(), 'a restart that was asked for with the power button', () => {
  test('by a process that died before the guest went down is carried out by the next one', async () => {
    await using orphan = await Orphan.after('asked')
    await goDown(orphan)
    await using conn = await orphan.world.open()
    const domain = await conn.domains.lookupByName(orphan.name)
    expect(await domain.state()).toMatchObject({ state: 'running' })
    await orphan.world.ready(domain)
    await domain.shutdown()
    await domain.waitFor('shutoff')
  })

  test('by a process that has died is carried out when the guest goes down under the next one', async () => {
    await using orphan = await Orphan.after('asked')
    await using conn = await orphan.world.open()
    const domain = await conn.domains.lookupByName(orphan.name)
    const restarted = rebootOf(conn)
    await orphan.world.powerOff(domain)
    await restarted
    await orphan.world.ready(domain)
    await domain.shutdown()
    expect(await domain.waitFor('shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
  })

  test('by a process that died between the reset and the first instruction is carried out', async () => {
    await using orphan = await Orphan.after('asked')
    await goDown(orphan)
    const monitor = await QmpChannel.open(await connectUnix(orphan.runDirectory, 'monitor.sock'))
    await monitor.execute('system_reset')
    while (!JSON.stringify(await monitor.execute('query-status')).includes('prelaunch'));
    monitor.close()
    await using conn = await orphan.world.open()
    const domain = await conn.domains.lookupByName(orphan.name)
    expect(await domain.state()).toMatchObject({ state: 'running' })
    await orphan.world.ready(domain)
  })

  test('by a process that has died is taken back where the next one asks for a shutdown', async () => {
    await using orphan = await Orphan.after('asked')
    await using conn = await orphan.world.open()
    const domain = await conn.domains.lookupByName(orphan.name)
    await domain.shutdown()
    await orphan.world.powerOff(domain)
    expect(await domain.waitFor('shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
  })

  test('by a process that died before it could note that is carried out all the same', async () => {
    await using orphan = await Orphan.after('asked')
    const status = JSON.parse(await readFile(orphan.statusFile, 'utf8'))
    delete status.record.restart
    await writeFile(orphan.statusFile, JSON.stringify(status))
    await using conn = await orphan.world.open()
    const domain = await conn.domains.lookupByName(orphan.name)
    const restarted = rebootOf(conn)
    await orphan.world.powerOff(domain)
    await restarted
    await orphan.world.ready(domain)
  })

  test('is noted, so that the next process knows of it', async () => {
    await using orphan = await Orphan.after('asked')
    expect(JSON.parse(await readFile(orphan.statusFile, 'utf8')).record).toMatchObject({ restart: true })
  })

  test('is over once the guest has restarted by itself: its later power-off is one', async () => {
    await using scene = await RunningGuest.start('deaf')
    await scene.domain.reboot({ mode: 'acpi' })
    const restarted = rebootOf(scene.connection)
    await scene.world.restart(scene.domain)
    await restarted
    await scene.world.ready(scene.domain)
    await scene.world.powerOff(scene.domain)
    expect(await scene.domain.waitFor('shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
  })
})

/** Resolves at the next restart of a guest. */
function rebootOf(connection: Connection): Promise<void> {
  return new Promise((resolve) =>
    connection.subscribe(({ type }) => {
      if (type === 'reboot') resolve()
    }),
  )
}

/** Has the guest of a process that is gone turn its power off, and waits until it has. */
async function goDown(orphan: Orphan): Promise<void> {
  const serial = connect(join(orphan.runDirectory, 'serial0.sock'))
  const goesDown = hears(serial, 'FX-BYE')
  serial.write('p')
  await goesDown
  serial.destroy()
}
