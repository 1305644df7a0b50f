import { chmod, cp, mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Connection, parseConnectUri } from '@covirt/core'
import { expect, test } from '@jest/globals'
import {
  busyboxRootfs,
  canRunLxc,
  describeWhen,
  type TempRoot,
  tempRoot,
  uniqueName,
} from '../../../test/fixtures/index.js'
import { prepareContainersDirectory } from '../src/host/containers-directory.js'
import { lxcProvider } from '../src/index.js'

/** Of a root of this name, on a host whose directory for all roots is `shared`. */
function prepare(host: TempRoot, root: string): string {
  return prepareContainersDirectory(host.join(root, 'containers'), host.join('shared'))
}

async function closedRoot(host: TempRoot, root: string): Promise<string> {
  await mkdir(host.join(root))
  await chmod(host.join(root), 0o700)
  return prepare(host, root)
}

test('A root that anybody can reach has its containers in it, and one that not anybody can reach has them elsewhere', async () => {
  await using host = await tempRoot()
  expect(prepare(host, 'open')).toBe(host.join('open/containers'))
  const elsewhere = await closedRoot(host, 'closed')
  expect(dirname(elsewhere)).toBe(host.join('shared'))
  await chmod(host.join('closed'), 0o755)
  expect(prepare(host, 'closed')).toBe(elsewhere)
})

test('Containers that are in a root stay there', async () => {
  await using host = await tempRoot()
  await mkdir(host.join('closed/containers/web'), { recursive: true })
  await chmod(host.join('closed'), 0o700)
  expect(prepare(host, 'closed')).toBe(host.join('closed/containers'))
})

test('A root and its copy have their containers in different places', async () => {
  await using host = await tempRoot()
  const first = await closedRoot(host, 'first')
  await cp(host.join('first'), host.join('copy'), { recursive: true, verbatimSymlinks: true })
  const copy = prepare(host, 'copy')
  expect(copy).not.toBe(first)
  expect(prepare(host, 'first')).toBe(first)
  expect(prepare(host, 'copy')).toBe(copy)
})

test('What a root had elsewhere goes once that is gone, but for a container that is there still', async () => {
  await using host = await tempRoot()
  await closedRoot(host, 'one')
  const two = await closedRoot(host, 'two')
  await writeFile(`${two}/web`, '')
  for (const root of ['one', 'two']) await rm(host.join(root), { recursive: true })
  const three = await closedRoot(host, 'three')
  const left = await readdir(host.join('shared'))
  expect(left.map((name) => host.join('shared', name)).sort()).toEqual(
    [two, `${two}.root`, three, `${three}.root`].sort(),
  )
})

test('A link that leads to a place of the administrator stays', async () => {
  await using host = await tempRoot()
  await mkdir(host.join('place/web'), { recursive: true })
  await mkdir(host.join('open'))
  await symlink(host.join('place'), host.join('open/containers'))
  expect(prepare(host, 'open')).toBe(host.join('open/containers'))
  expect(await readdir(host.join('open/containers'))).toEqual(['web'])
})

test('Anybody can reach it whatever the umask of the process', async () => {
  await using host = await tempRoot()
  const before = process.umask(0o077)
  try {
    const elsewhere = await closedRoot(host, 'closed')
    for (const directory of [elsewhere, dirname(elsewhere)])
      expect((await stat(directory)).mode & 0o777).toBe(0o711)
    expect((await stat(prepare(host, 'fresh/root'))).mode & 0o777).toBe(0o711)
  } finally {
    process.umask(before)
  }
})

test('Where no place can be had it says what is to be done', async () => {
  await using host = await tempRoot()
  await symlink('/proc/nonexistent', host.join('shared'))
  await expect(closedRoot(host, 'closed')).rejects.toMatchObject({
    code: 'NO_CONNECT',
    hint: expect.stringContaining('chmod a+x'),
  })
})

describeWhen(canRunLxc(), 'a root that only its owner may enter', () => {
  test('runs containers with ids of their own, also when it is opened again', async () => {
    await using host = await tempRoot()
    await mkdir(host.join('closed'))
    await chmod(host.join('closed'), 0o700)
    const rootfs = await busyboxRootfs(host.join('closed/rootfs'))
    const uri = `lxc:///system?root=${host.join('closed/root')}`
    const open = async () => new Connection(await lxcProvider.open(parseConnectUri(uri)))
    const connection = await open()
    const domain = await connection.domains.define(`<domain type='lxc'><name>${uniqueName('closed')}</name>
      <memory unit='MiB'>64</memory><os><type>exe</type><init>/sbin/ctinit</init></os><devices>
      <filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem></devices></domain>`)
    await domain.start()
    await connection.close()
    await using again = await open()
    const found = await again.domains.lookupByUuid(domain.uuid)
    const { exit } = await found.exec(['/bin/true'])
    expect(await exit).toEqual({ code: 0 })
    await found.destroy()
  })
})
