import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { mkdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { canRunLxc, describeWhen, patience, uniqueName } from '../../../test/fixtures/index.js'
import { controlGroupsOf, outermostGroups } from '../src/host/control-groups.js'
import { containerCgroups } from '../src/native.js'
import { LxcWorld, removeRootfs } from './lxc-fixture.js'

afterAll(removeRootfs)

const mount = '/sys/fs/cgroup'

/** Where control groups of containers are: directly below each hierarchy. */
function hierarchies(): string[] {
  return existsSync(join(mount, 'cgroup.controllers'))
    ? [mount]
    : readdirSync(mount).map((name) => join(mount, name))
}

function groupsOf(name: string): string[] {
  return hierarchies().flatMap((each) => readdirSync(each).filter((group) => group.includes(name)))
}

test('a container has control groups of its own name in each place', () => {
  const groups = [
    controlGroupsOf({ path: '/a', name: 'web' }),
    controlGroupsOf({ path: '/a', name: 'web-1' }),
    controlGroupsOf({ path: '/b', name: 'web' }),
  ]
  expect(new Set(groups.flatMap(({ payload, monitor }) => [payload, monitor])).size).toBe(6)
})

test('a process inside of a container in a container is in the groups of the outer one', () => {
  const membership =
    '2:pids:/lxc.payload.outer.1/lxc.payload.web.2/x\n1:cpu:/\n0::/host/lxc.payload.outer.1/init.scope\n'
  expect(outermostGroups(membership)).toEqual(['lxc.payload.outer.1', 'lxc.payload.outer.1'])
})

describeWhen(canRunLxc(), 'the control groups of real containers', () => {
  test('go away with it, and those of others stay', async () => {
    await using world = await LxcWorld.make()
    await using connection = await world.open()
    const name = uniqueName('grp')
    const others = [`lxc.payload.${name}-1`, `lxc.payload.${name}`, `lxc.monitor.${name}-2`]
    const [hierarchy = mount] = hierarchies()
    for (const other of others) await mkdir(join(hierarchy, other, 'child'), { recursive: true })
    try {
      const domain = await connection.domains.create(world.domainXml({ name }))
      const groups = await containerCgroups(await world.initPid(domain))
      expect([...groups.values()].every((group) => group.includes(`lxc.payload.${name}.`))).toBe(true)
      await domain.destroy()
      expect(groupsOf(name).sort()).toEqual([...others].sort())
      for (const other of others) expect(existsSync(join(hierarchy, other, 'child'))).toBe(true)
    } finally {
      for (const other of others) {
        rmdirSync(join(hierarchy, other, 'child'))
        await rmdir(join(hierarchy, other))
      }
    }
  })

  test('leave nothing of a start that fails', async () => {
    await using world = await LxcWorld.make()
    await using connection = await world.open()
    const name = uniqueName('grp')
    const xml = world.domainXml({ name }).replace('/sbin/ctinit', '/bin/true')
    for (let round = 0; round < 5; round++) await connection.domains.create(xml).catch(() => {})
    for (const domain of await connection.domains.list({ active: true })) await domain.waitFor('shutoff')
    expect(groupsOf(name)).toEqual([])
  })

  test(
    'are two where two places have a container of the same name, also when both come and go at once',
    async () => {
      await using one = await LxcWorld.make()
      await using other = await LxcWorld.make()
      await using first = await one.open()
      await using second = await other.open()
      const name = uniqueName('grp')
      const churn = async (world: LxcWorld, connection: typeof first) => {
        const domain = await connection.domains.define(world.domainXml({ name }))
        for (let round = 0; round < 10; round++) {
          await domain.start()
          await domain.destroy()
        }
      }
      await Promise.all([churn(one, first), churn(other, second)])
      expect(groupsOf(name)).toEqual([])
    },
    patience(60_000),
  )
})
