import { chmod, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@covirt/core'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { FileStore } from '../src/file-store.js'
import type { DomainStatus } from '../src/index.js'

let directory: string
let store: FileStore

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'covirt-store-'))
  store = open()
  await store.load()
})

afterEach(() => rm(directory, { recursive: true, force: true }))

function open(): FileStore {
  return new FileStore(
    {
      definitions: join(directory, 'etc'),
      statuses: join(directory, 'run'),
      snapshots: join(directory, 'lib'),
    },
    silentLogger,
  )
}

const status: DomainStatus = {
  uuid: '00000000-0000-4000-8000-000000000001',
  name: 'web',
  id: 3,
  state: { state: 'running', reason: 'booted' },
  definition: '<domain/>',
  record: { pid: 17 },
  startedAt: 5,
}

test('definitions lie where libvirt users look for them', async () => {
  await store.saveDefinition('web', '<domain/>')
  await store.setAutostart('web', true)
  expect(await readFile(join(directory, 'etc/web.xml'), 'utf8')).toBe('<domain/>')
  expect(await readlink(join(directory, 'etc/autostart/web.xml'))).toBe('../web.xml')
})

test('another store finds all that was saved', async () => {
  await store.saveDefinition('web', '<domain/>')
  await store.setAutostart('web', true)
  await store.saveStatus(status)
  expect(await open().load()).toEqual([{ name: 'web', definition: '<domain/>', autostart: true, status }])
})

test('removing a definition removes its autostart flag', async () => {
  await store.saveDefinition('web', '<domain/>')
  await store.setAutostart('web', true)
  await store.removeDefinition('web')
  expect(await open().load()).toEqual([])
  expect(await readdir(join(directory, 'etc/autostart'))).toEqual([])
})

test('a renamed definition keeps its autostart flag, and nothing goes by the old name', async () => {
  await store.saveDefinition('web', '<domain/>')
  await store.setAutostart('web', true)
  await store.renameDefinition('web', 'shop', '<domain>2</domain>')
  expect(await open().load()).toEqual([{ name: 'shop', definition: '<domain>2</domain>', autostart: true }])
  expect((await readdir(join(directory, 'etc'))).sort()).toEqual(['autostart', 'shop.xml'])
  expect(await readdir(join(directory, 'etc/autostart'))).toEqual(['shop.xml'])
})

test('a renaming that was cut off is finished where the new definition is there', async () => {
  await store.saveDefinition('web', '<domain/>')
  await store.setAutostart('web', true)
  await symlink('shop.xml', join(directory, 'etc/web.renaming'))
  await store.saveDefinition('shop', '<domain>2</domain>')
  expect(await open().load()).toEqual([{ name: 'shop', definition: '<domain>2</domain>', autostart: true }])
  expect((await readdir(join(directory, 'etc'))).sort()).toEqual(['autostart', 'shop.xml'])
})

test('a renaming that was cut off before that has not happened', async () => {
  await store.saveDefinition('web', '<domain/>')
  await symlink('shop.xml', join(directory, 'etc/web.renaming'))
  expect(await open().load()).toEqual([{ name: 'web', definition: '<domain/>', autostart: false }])
  expect((await readdir(join(directory, 'etc'))).sort()).toEqual(['autostart', 'web.xml'])
})

test('a cancelled save leaves the old definition and no other file', async () => {
  await store.saveDefinition('web', '<domain/>')
  const save = store.saveDefinition('web', '<other/>', { signal: AbortSignal.abort() })
  await expect(save).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
  expect(await readFile(join(directory, 'etc/web.xml'), 'utf8')).toBe('<domain/>')
  expect(await readdir(join(directory, 'etc'))).toEqual(['autostart', 'web.xml'])
})

test('what a write that was cut off has left is removed, and hides nothing', async () => {
  await writeFile(join(directory, 'etc/.covirt-tmp-0011-web.xml'), '<dom')
  await store.saveDefinition('web', '<domain/>')
  expect(await open().load()).toHaveLength(1)
  expect(await readdir(join(directory, 'etc'))).toEqual(['autostart', 'web.xml'])
})

test('a status that is not JSON is left alone and left out', async () => {
  await writeFile(join(directory, 'run/bad.json'), '{')
  expect(await open().load()).toEqual([])
  expect(await readdir(join(directory, 'run'))).toEqual(['bad.json'])
})

test('a directory that cannot be written to is named in the refusal', async () => {
  await rm(join(directory, 'etc'), { recursive: true })
  await writeFile(join(directory, 'etc'), '')
  await chmod(join(directory, 'etc'), 0o400)
  await expect(store.saveDefinition('web', '<domain/>')).rejects.toMatchObject({
    code: 'SYSTEM_ERROR',
    hint: expect.stringContaining(join(directory, 'etc')),
  })
})
