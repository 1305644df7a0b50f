import { LocalLifecycle } from '@covirt/lifecycle'
import { expect, test } from '@jest/globals'
import { uuidOf } from './make-domains.js'
import { define, drive, runnerParts, testWorld } from './world.js'

type World = Awaited<ReturnType<typeof testWorld>>

const upNow = async ({ driver }: World) =>
  (await driver.listDomains({ active: true })).map(({ name }) => name).sort()

test('some of the guests alone do not come up once for all', async () => {
  await using world = await testWorld()
  await define(world.driver, { db: '', web: '' })
  const lifecycle = new LocalLifecycle(runnerParts(world))
  for (const request of [{ boot: true }, { takenDown: true }]) {
    await expect(lifecycle.up({ ...request, only: [uuidOf('db')] })).rejects.toMatchObject({
      code: 'INVALID_ARG',
    })
  }
  const report = await drive(world.clock, lifecycle.up({ boot: true }))
  expect(report?.results.map(({ outcome }) => outcome)).toEqual(['ready', 'ready'])
})

test('nor do those of one driver of several, which says where all are', async () => {
  await using world = await testWorld()
  await define(world.driver, { db: '' })
  const parts = runnerParts(world)
  const lifecycle = new LocalLifecycle({ ...parts, partOf: 'covirt:///system' })
  for (const request of [{ boot: true }, { takenDown: true }]) {
    await expect(lifecycle.up(request)).rejects.toMatchObject({
      code: 'INVALID_ARG',
      hint: "Connect to 'covirt:///system'",
    })
  }
  expect(parts.journal.entries).toEqual([])
  await drive(world.clock, lifecycle.up())
  expect(await upNow(world)).toEqual(['db'])
})

test('what was taken down stays down as a daemon comes back, and comes up as it is asked for', async () => {
  await using world = await testWorld()
  await define(world.driver, { db: '' })
  const lifecycle = new LocalLifecycle(runnerParts(world))
  await drive(world.clock, lifecycle.boot())
  await drive(world.clock, lifecycle.down({ host: true }))
  expect(await drive(world.clock, lifecycle.boot())).toBeUndefined()
  expect(await upNow(world)).toEqual([])
  await drive(world.clock, lifecycle.up({ takenDown: true }))
  expect(await upNow(world)).toEqual(['db'])
})
