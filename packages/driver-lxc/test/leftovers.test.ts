import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { canRunLxc, describeWhen, uniqueName } from '../../../test/fixtures/index.js'
import { containerCgroups } from '../src/native.js'
import { LxcWorld, removeRootfs } from './lxc-fixture.js'

/** Somebody else's process in a control group of the guest with this init: the group cannot be removed. */
async function squat(initPid: number): Promise<{ readonly group: string; leave(): Promise<void> }> {
  const groups = await containerCgroups(initPid)
  const group = groups.get('pids') ?? groups.get('') ?? ''
  const squatter = spawn('sleep', ['1000'], { stdio: 'ignore' })
  await writeFile(join(group, 'cgroup.procs'), String(squatter.pid))
  const left = new Promise<void>((resolve) => squatter.once('exit', () => resolve()))
  return {
    group,
    leave: () => {
      squatter.kill('SIGKILL')
      return left
    },
  }
}

describeWhen(canRunLxc(), 'what cannot be removed of a container that has ended', () => {
  afterAll(removeRootfs)

  test('is told, and removed at the next start or open that can', async () => {
    await using world = await LxcWorld.make()
    const told: string[] = []
    const tell = (message: string) => told.push(message)
    const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: tell }
    const open = () => world.open({ logger })
    let connection = await open()
    const domain = await connection.domains.define(world.domainXml({ name: uniqueName('left') }))
    await domain.start()
    const squatter = await squat(await world.initPid(domain))
    await domain.destroy()
    expect(told).toEqual([expect.stringContaining('is left')])
    expect(await domain.state()).toMatchObject({ state: 'shutoff' })
    await expect(domain.start()).rejects.toMatchObject({ message: expect.stringContaining(squatter.group) })
    await connection.close()
    await squatter.leave()
    connection = await open()
    expect(existsSync(squatter.group)).toBe(false)
    expect(existsSync(join(world.path, 'lib/lxc/containers', domain.name))).toBe(false)
    const again = await connection.domains.lookupByUuid(domain.uuid)
    await again.start()
    await again.destroy()
    expect(told).toHaveLength(1)
    await connection.close()
  })

  test('holds up no start where the note of it is damaged', async () => {
    await using world = await LxcWorld.make()
    await using connection = await world.open()
    const domain = await connection.domains.define(world.domainXml({ name: uniqueName('left') }))
    const directory = join(world.path, 'lib/lxc/containers', domain.name)
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, 'leftovers.json'), '')
    await domain.start()
    await domain.destroy()
    expect(existsSync(directory)).toBe(false)
  })
})
