import { parseDomain } from '@covirt/xml'
import { expect, test } from '@jest/globals'
import { canRunLxc, testWhen } from '../../../test/fixtures/index.js'
import { checkShared } from '../src/config/shared-storage.js'
import { LxcWorld, removeRootfs } from './lxc-fixture.js'

const mount = (dir: string, more = '') =>
  `<filesystem type='mount'><source dir='${dir}'/><target dir='/'/>${more}</filesystem>`
const overlay = (name: string, dir?: string) =>
  `<filesystem type='template'><source name='${name}'${dir === undefined ? '' : ` dir='${dir}'`}/><target dir='/'/></filesystem>`

function documentOf(name: string, root: string) {
  return parseDomain(`<domain type='lxc'><name>${name}</name><devices>${root}</devices></domain>`)
}

test.each([
  [
    'changes what another one stands on',
    mount('/srv/base'),
    overlay('/srv/base/'),
    false,
    "'other' stands on",
  ],
  ['changes what lies around that', mount('/srv'), overlay('/srv/base'), false, "'other' stands on"],
  [
    'stands on what another one changes',
    overlay('/srv/base'),
    mount('/srv/base'),
    true,
    "'other' runs and changes",
  ],
  [
    'keeps its changes where another one does',
    overlay('/a', '/c'),
    overlay('/b', '/c'),
    true,
    'its own changes in /c',
  ],
])('A container is refused that %s', (_, root, others, active, message) => {
  const other = { document: documentOf('other', others), active }
  expect(() => checkShared(documentOf('web', root), [other])).toThrow(
    expect.objectContaining({ code: 'OPERATION_INVALID', message: expect.stringContaining(message) }),
  )
})

test.each([
  ['only reads what another one stands on', mount('/srv/base', '<readonly/>'), overlay('/srv/base'), true],
  ['has a root beside that', mount('/srv/base2'), overlay('/srv/base'), true],
  ['stands on what another one stands on', overlay('/srv/base', '/c'), overlay('/srv/base', '/d'), true],
  ['stands on what one that is off would change', overlay('/srv/base'), mount('/srv/base'), false],
])('A container may start that %s', (_, root, others, active) => {
  const other = { document: documentOf('other', others), active }
  expect(() => checkShared(documentOf('web', root), [other])).not.toThrow()
})

testWhen(canRunLxc(), 'The base of a linked clone does not start before that has gone', async () => {
  await using world = await LxcWorld.make()
  await using connection = await world.open()
  const xml = world.domainXml({ name: world.uniqueName('base') })
  const base = await connection.domains.define(xml)
  const clone = await connection.domains.define(
    world
      .domainXml({ name: world.uniqueName('clone') })
      .replace(/<filesystem.*?<\/filesystem>/s, overlay(world.rootfs, `${world.path}/changes`)),
  )
  await expect(base.start()).rejects.toMatchObject({ code: 'OPERATION_INVALID' })
  await clone.undefine()
  await base.start()
  await base.destroy()
  await removeRootfs()
})
