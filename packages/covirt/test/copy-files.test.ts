import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { busyboxRootfs, canRunLxc, describeWhen, tempRoot, uniqueName } from '../../../test/fixtures/index.js'
import { parseCopyPlace } from '../src/cli/copy-files.js'
import { covirt, onTest } from './run-covirt.js'

describe('a place', () => {
  test('is of a guest where it begins with a name and a colon', () => {
    expect(parseCopyPlace('web:/etc/x')).toEqual({ kind: 'guest', domain: 'web', path: '/etc/x' })
    expect(parseCopyPlace('web:x')).toEqual({ kind: 'guest', domain: 'web', path: '/root/x' })
    expect(parseCopyPlace('./a:b')).toEqual({ kind: 'host', path: './a:b' })
    expect(parseCopyPlace('plain')).toEqual({ kind: 'host', path: 'plain' })
  })
})

test('one of the two places is of a guest', async () => {
  expect(await onTest(['cp', 'a', 'b'])).toMatchObject({ code: 1 })
  expect(await onTest(['cp', 'test:/a', 'test:/b'])).toMatchObject({ code: 1 })
})

describeWhen(canRunLxc(), 'with a container', () => {
  let root: Awaited<ReturnType<typeof tempRoot>>
  const name = uniqueName('cp')
  const cp = (...args: string[]) => covirt(['-c', `lxc:///system?root=${root.join('covirt')}`, 'cp', ...args])

  beforeAll(async () => {
    root = await tempRoot()
    const rootfs = await busyboxRootfs(root.join('rootfs'))
    await writeFile(
      root.join('domain.xml'),
      `<domain type='lxc'><name>${name}</name><memory>65536</memory><os><type>exe</type></os>
      <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem></devices></domain>`,
    )
    await covirt(['-c', `lxc:///system?root=${root.join('covirt')}`, 'define', root.join('domain.xml')])
  })

  afterAll(async () => root[Symbol.asyncDispose]())

  test('a file is copied in, and out again, with its mode', async () => {
    await writeFile(root.join('file'), 'content', { mode: 0o640 })
    expect(await cp(root.join('file'), `${name}:/tmp`)).toMatchObject({ code: 0, stderr: '' })
    expect(await readFile(root.join('rootfs/tmp/file'), 'utf8')).toBe('content')
    expect(await cp(`${name}:/tmp/file`, root.join('back'))).toMatchObject({ code: 0, stderr: '' })
    expect(await readFile(root.join('back'), 'utf8')).toBe('content')
    expect((await stat(root.join('back'))).mode & 0o777).toBe(0o640)
  })

  test('a tree is copied with --recursive only, and nothing that its links lead to on the way out', async () => {
    await mkdir(root.join('tree/sub'), { recursive: true })
    await writeFile(root.join('tree/sub/leaf'), 'green')
    expect(await cp(root.join('tree'), `${name}:/srv/tree`)).toMatchObject({ code: 1 })
    expect(await cp('-r', root.join('tree'), `${name}:/srv/tree`)).toMatchObject({ code: 0, stderr: '' })
    await symlink('/etc', join(root.join('rootfs'), 'srv/tree/link'))
    expect(await cp('-r', `${name}:/srv/tree`, root.join('copy'))).toMatchObject({ code: 0, stderr: '' })
    expect(await readFile(root.join('copy/sub/leaf'), 'utf8')).toBe('green')
    await expect(stat(root.join('copy/link'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
