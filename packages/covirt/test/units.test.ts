import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import { tempRoot, testWhen } from '../../../test/fixtures/index.js'
import { covirt } from './run-covirt.js'

const all = ['covirt-guests.service', 'covirtd-ro.socket', 'covirtd.service', 'covirtd.socket']
const noSystemd = existsSync('/usr/bin/systemd-analyze') ? undefined : 'systemd-analyze is missing'

test('units are made and removed again, and what is not ours stays', async () => {
  await using root = await tempRoot()
  const made = await covirt(['install-units', '--directory', root.path])
  expect(made.stdout).toBe(`Made ${all.join(', ')} in ${root.path}\n`)
  await writeFile(root.join('covirt-own.service'), '[Unit]\n')
  await covirt(['install-units', '--directory', root.path])
  expect((await covirt(['install-units', '--directory', root.path, '--remove'])).code).toBe(0)
  expect(await readdir(root.path)).toEqual(['covirt-own.service'])
})

test('a unit of somebody else is not overwritten', async () => {
  await using root = await tempRoot()
  await writeFile(root.join('covirtd.service'), '[Unit]\n')
  const { code, stderr } = await covirt(['install-units', '--directory', root.path])
  expect(stderr).toContain('was not made by covirt')
  expect([code, await readdir(root.path)]).toEqual([1, ['covirtd.service']])
})

testWhen(noSystemd, 'systemd finds nothing wrong with them', async () => {
  for (const flags of [[], ['--without-daemon']]) {
    await using root = await tempRoot()
    await covirt(['install-units', '--directory', root.path, ...flags])
    const files = (await readdir(root.path)).map((name) => root.join(name))
    const { stdout, stderr } = await promisify(execFile)('systemd-analyze', ['verify', ...files])
    expect(`${stdout}${stderr}`).toBe('')
  }
})

test('without the daemon, the guests’ unit brings them up itself', async () => {
  await using root = await tempRoot()
  await covirt(['install-units', '--directory', root.path, '--without-daemon'])
  const text = await readFile(root.join('covirt-guests.service'), 'utf8')
  expect(text).toMatch(/^ExecStart=\S+ \S+covirt\.js up --boot$/m)
  expect(text).toMatch(/^ExecStop=\S+ \S+covirt\.js down --host$/m)
  expect(text).not.toContain('covirtd')
})
