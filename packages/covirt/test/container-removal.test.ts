import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, open as openFile, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { tryLockFile } from '@covirt/driver-lxc'
import { expect, test } from '@jest/globals'
import { canRunLxc, describeWhen, type TempRoot, tempRoot, uniqueName } from '../../../test/fixtures/index.js'
import { open } from '../src/index.js'
import { covirt, program } from './run-covirt.js'

const hook = fileURLToPath(new URL('kill-at.mjs', import.meta.url))
/**
 * Of the changes below a root: after the mark was set, after the definition has gone, after the directory has got its other
 * name, and after a part of that was removed.
 */
const steps = [2, 3, 5, 6]

const uriOf = (root: TempRoot) => `lxc:///system?root=${root.path}`

/** Undefines `name` with its root file system, in a process that is killed before its n-th change of what is below `root`. */
async function removeAndDie(root: TempRoot, name: string, step: number): Promise<void> {
  const { NODE_OPTIONS: _, ...inherited } = process.env
  const command = [program, '-c', uriOf(root), 'undefine', name, '--remove-rootfs']
  const env = { ...inherited, KILL_AT: `${step}`, KILL_BELOW: root.path }
  const child = spawn(process.execPath, ['--import', hook, ...command], { env, stdio: 'ignore' })
  await expect(once(child, 'exit')).resolves.toEqual([null, 'SIGKILL'])
}

/** Whether the domain is defined and its root file system there, as the next connection leaves it. */
async function whatIsLeft(root: TempRoot, name: string) {
  await using connection = await open(uriOf(root))
  const defined = (await connection.domains.list()).length
  const directory = root.join('lib/containers', name)
  return {
    defined,
    directories: readdirSync(root.join('lib/containers')).length,
    whole: existsSync(`${directory}/rootfs/sbin/init`),
    meant: existsSync(`${directory}/leaving`),
  }
}

const nothingDone = { defined: 1, directories: 1, whole: true, meant: false }
const allDone = { defined: 0, directories: 0, whole: false, meant: false }

/** A container of `create-container`, by name. */
async function made(root: TempRoot): Promise<string> {
  const name = uniqueName('removal')
  await expect(covirt(['-c', uriOf(root), 'create-container', name])).resolves.toMatchObject({ code: 0 })
  return name
}

/** What a process leaves that is killed once the definition has gone. */
async function undefinedOnly(root: TempRoot, name: string): Promise<void> {
  await using connection = await open(uriOf(root))
  const domain = await connection.domains.lookupByName(name)
  await domain.undefine()
  await writeFile(root.join('lib/containers', name, 'leaving'), domain.uuid)
}

describeWhen(canRunLxc(), 'a container that is undefined with its root file system', () => {
  test('is whole or gone after the next open, wherever its remover was killed', async () => {
    const seen = await Promise.all(
      steps.map(async (step) => {
        await using root = await tempRoot()
        const name = await made(root)
        await removeAndDie(root, name, step)
        return await whatIsLeft(root, name)
      }),
    )
    expect(seen).toEqual([nothingDone, allDone, allDone, allDone])
  })

  test('stays where another domain has come to use it before the removal was finished', async () => {
    await using root = await tempRoot()
    const name = await made(root)
    {
      await using connection = await open(uriOf(root))
      const domain = await connection.domains.lookupByName(name)
      const xml = (await domain.xml()).replace(domain.uuid, crypto.randomUUID())
      await domain.undefine()
      await writeFile(root.join('lib/containers', name, 'leaving'), domain.uuid)
      await connection.domains.define(xml)
    }
    await expect(whatIsLeft(root, name)).resolves.toEqual(nothingDone)
  })

  test('stays where its definition is there, though no driver can read that', async () => {
    await using root = await tempRoot()
    const name = await made(root)
    await undefinedOnly(root, name)
    const uuid = await readFile(root.join('lib/containers', name, 'leaving'), 'utf8')
    await writeFile(root.join('etc/lxc', `${name}.xml`), `<domain><uuid>${uuid}</uuid>`)
    await expect(whatIsLeft(root, name)).resolves.toEqual({ ...nothingDone, defined: 0 })
  })

  test('is left to the process that is removing it', async () => {
    await using root = await tempRoot()
    const name = await made(root)
    await undefinedOnly(root, name)
    await using remover = await openFile(root.join('lib/containers', name, 'leaving'))
    tryLockFile(remover)
    await expect(whatIsLeft(root, name)).resolves.toEqual({ ...nothingDone, defined: 0, meant: true })
  })

  test('keeps its definition where something is mounted in it', async () => {
    await using root = await tempRoot()
    const name = await made(root)
    const target = root.join('lib/containers', name, 'rootfs/mnt')
    await mkdir(target, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', 'none', target])
    try {
      const { code, stderr } = await covirt(['-c', uriOf(root), 'undefine', name, '--remove-rootfs'])
      expect(stderr).toContain(`${target} is mounted`)
      expect(code).toBe(1)
    } finally {
      execFileSync('umount', [target])
    }
    await expect(whatIsLeft(root, name)).resolves.toEqual(nothingDone)
  })
})

test('a directory that nobody has begun to remove stays, though no domain has it', async () => {
  await using root = await tempRoot()
  await mkdir(root.join('lib/containers/old/rootfs'), { recursive: true })
  await using connection = await open(`covirt:///system?root=${root.path}`)
  expect(connection.closed).toBe(false)
  expect(readdirSync(root.join('lib/containers'))).toEqual(['old'])
})
