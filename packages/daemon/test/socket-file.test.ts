import { once } from 'node:events'
import { lstatSync } from 'node:fs'
import { lstat, readdir, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { isServed } from '@covirt/local'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type TempRoot, tempRoot } from '../../../test/fixtures/index.js'
import { listenOnFile } from '../src/listen/socket-file.js'

let root: TempRoot
let path: string
const servers: ReturnType<typeof createServer>[] = []

beforeEach(async () => {
  root = await tempRoot()
  path = root.join('run/sock')
})

afterEach(async () => {
  for (const server of servers.splice(0)) server.close()
  await root[Symbol.asyncDispose]()
})

function newServer() {
  const server = createServer((socket) => socket.on('error', () => {}).end('hello'))
  servers.push(server)
  return server
}

describe('a socket file', () => {
  test('has the mode that it was given, and nothing beside it', async () => {
    await listenOnFile(newServer(), path, { mode: 0o640 })

    expect((await lstat(path)).mode & 0o777).toBe(0o640)
    expect(await readdir(root.join('run'))).toEqual(['sock'])
    const [greeting] = (await once(connect(path), 'data')) as [Buffer]
    expect(greeting.toString()).toBe('hello')
  })

  test("is nobody else's before it has its mode, whatever the mask of the process", async () => {
    const server = newServer()
    let first: number | undefined
    server.on('listening', () => {
      first = lstatSync(String(server.address())).mode & 0o777
    })
    const mask = process.umask(0)
    try {
      await listenOnFile(server, path, { mode: 0o666 })
    } finally {
      process.umask(mask)
    }
    expect(first).toBe(0o600)
  })

  test('of a living process is not taken away', async () => {
    await listenOnFile(newServer(), path, { mode: 0o600 })
    const { ino } = await lstat(path)

    await expect(listenOnFile(newServer(), path, { mode: 0o600 })).rejects.toMatchObject({
      code: 'RESOURCE_BUSY',
    })

    expect((await lstat(path)).ino).toBe(ino)
    expect(await isServed(path)).toBe(true)
    expect(await readdir(root.join('run'))).toEqual(['sock'])
  })

  test('of a process that has ended is replaced', async () => {
    const left = newServer()
    await listenOnFile(left, path, { mode: 0o600 })
    left.close()
    expect(await isServed(path)).toBe(false)

    await listenOnFile(newServer(), path, { mode: 0o600 })

    expect(await isServed(path)).toBe(true)
  })

  test('does not replace what is no socket', async () => {
    await writeFile(root.join('file'), 'precious')
    await expect(listenOnFile(newServer(), root.join('file'), { mode: 0o600 })).rejects.toThrow(/no socket/)
  })

  test('is removed, unless it has become that of another', async () => {
    const first = newServer()
    const file = await listenOnFile(first, path, { mode: 0o600 })
    first.close()
    const second = await listenOnFile(newServer(), path, { mode: 0o600 })

    await file.remove()
    expect(await isServed(path)).toBe(true)
    await second.remove()

    expect(await readdir(root.join('run'))).toEqual([])
  })

  test('has a path short enough for the kernel, or is refused with the length', async () => {
    await expect(listenOnFile(newServer(), `/${'d'.repeat(120)}/sock`, { mode: 0o600 })).rejects.toThrow(
      /107/,
    )
  })
})
