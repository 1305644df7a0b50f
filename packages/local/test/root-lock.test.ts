import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConnectUri } from '@covirt/core'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { ownRoot, type Root, resolveRoot, rootOwner } from '../src/index.js'
import { RootLock } from '../src/root-lock.js'

let directory: string
let root: Root

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'covirt-lock-'))
  root = resolveRoot(parseConnectUri(`lxc:///system?root=${directory}`))
})

afterEach(() => rm(directory, { recursive: true, force: true }))

test('a second owner is refused and told who holds the root', async () => {
  const lock = await RootLock.acquire(root)
  await expect(RootLock.acquire(root)).rejects.toMatchObject({
    code: 'RESOURCE_BUSY',
    message: expect.stringContaining(`process ${process.pid}`),
  })
  await lock.release()
})

test('a second owner is told where the first one can be reached', async () => {
  const socket = join(root.runDirectory, 'covirt-sock')
  const lock = await RootLock.acquire(root, { socket })
  await expect(RootLock.acquire(root)).rejects.toMatchObject({
    code: 'RESOURCE_BUSY',
    message: expect.stringContaining(socket),
    hint: expect.stringContaining(`covirt+unix:///system?socket=${socket}`),
  })
  await expect(rootOwner(root)).resolves.toMatchObject({ pid: process.pid, socket })
  await lock.release()
})

test('a root is owned by a process until its last user there has released it', async () => {
  const first = await ownRoot(root)
  const second = await ownRoot(root)
  expect(second.ids).toBe(first.ids)
  await first.release()
  await expect(RootLock.acquire(root)).rejects.toMatchObject({ code: 'RESOURCE_BUSY' })
  await second.release()
  await (await RootLock.acquire(root)).release()
})

test('a lock file that says nothing sensible names no owner', async () => {
  await (await RootLock.acquire(root)).release()
  await writeFile(join(root.runDirectory, 'owner.lock'), '{"pid":"many"}')
  await expect(rootOwner(root)).resolves.toBeUndefined()
})

test('a released root can be owned again', async () => {
  await (await RootLock.acquire(root)).release()
  await (await RootLock.acquire(root)).release()
})

test('the lock dies with its holder, however that dies', async () => {
  await (await RootLock.acquire(root)).release()
  const holder = holdLock(join(root.runDirectory, 'owner.lock'))
  await once(holder.stdout as NodeJS.ReadableStream, 'data')
  await expect(RootLock.acquire(root)).rejects.toMatchObject({ code: 'RESOURCE_BUSY' })
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  await (await RootLock.acquire(root)).release()
})

/** A process that locks `path`, says so, and stays. */
function holdLock(path: string): ChildProcess {
  return spawn('flock', ['--exclusive', '--no-fork', path, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}

test('a root is an absolute path', () => {
  expect(() => resolveRoot(parseConnectUri('lxc:///system?root=here'))).toThrow(
    expect.objectContaining({ code: 'INVALID_ARG' }),
  )
})

test("a session's directories follow the XDG variables", () => {
  const session = resolveRoot(parseConnectUri('qemu:///session'), {
    HOME: '/home/me',
    XDG_CONFIG_HOME: '/conf',
    XDG_RUNTIME_DIR: '/run/user/7',
  })
  expect(session).toEqual({
    configDirectory: '/conf/covirt',
    stateDirectory: '/home/me/.local/share/covirt',
    runDirectory: '/run/user/7/covirt',
    logDirectory: '/home/me/.local/state/covirt/log',
  })
})
