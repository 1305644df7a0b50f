import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Domain } from '@covirt/core'
import { expect } from '@jest/globals'
import type { Scene } from '../scene.js'
import type { Suite } from '../suite.js'

/** The role `files`. Its guests have a directory `/tmp` that is theirs. */
export function filesRole({ test, onOneGuest }: Suite): void {
  for (const [state, enter] of Object.entries(states)) {
    test(`what was written to a file is read from it, in a domain that is ${state}`, async (scene) => {
      const { domain, directory } = await place(scene, enter)
      await domain.writeFile(`${directory}/file`, 'content\n')
      expect(await content(domain, `${directory}/file`)).toBe('content\n')
      expect(await domain.statFile(`${directory}/file`)).toMatchObject({
        ...{ type: 'file', mode: 0o644, uid: 0, gid: 0, sizeBytes: 8 },
        modifiedMs: expect.any(Number),
      })
      await cleared(domain, directory)
    })

    test(`directories are made, listed and removed, in a domain that is ${state}`, async (scene) => {
      const { domain, directory } = await place(scene, enter)
      await domain.makeDirectory(`${directory}/a/b`, { parents: true })
      await domain.writeFile(`${directory}/a/file`, '', { mode: 0o600, uid: 12, gid: 34 })
      const entries = await domain.listDirectory(`${directory}/a`)
      expect([...entries].sort((one, two) => one.name.localeCompare(two.name))).toEqual([
        expect.objectContaining({ name: 'b', type: 'directory', mode: 0o755 }),
        expect.objectContaining({ name: 'file', type: 'file', mode: 0o600, uid: 12, gid: 34, sizeBytes: 0 }),
      ])
      await refused(scene, 'ENOTEMPTY', () => domain.removeFile(`${directory}/a`))
      await domain.removeFile(`${directory}/a`, { recursive: true })
      expect(await domain.listDirectory(directory)).toEqual([])
      await cleared(domain, directory)
    })
  }

  onOneGuest(
    'plain',
    'a file that is replaced keeps its mode and its owner, unless told otherwise',
    async (domain) => {
      const directory = await ownDirectory(domain)
      const path = `${directory}/file`
      await domain.writeFile(path, 'one', { mode: 0o4750, uid: 7, gid: 8 })
      await domain.writeFile(path, 'two')
      expect(await domain.statFile(path)).toMatchObject({ mode: 0o4750, uid: 7, gid: 8 })
      await domain.writeFile(path, 'three', { mode: 0o640, uid: 0 })
      expect(await domain.statFile(path)).toMatchObject({ mode: 0o640, uid: 0, gid: 8, sizeBytes: 5 })
      await cleared(domain, directory)
    },
  )

  onOneGuest('plain', 'a part of a file is read', async (domain) => {
    const directory = await ownDirectory(domain)
    await domain.writeFile(`${directory}/file`, '0123456789')
    const part = await domain.readFile(`${directory}/file`, { offsetBytes: 3, lengthBytes: 4 })
    expect(await text(part)).toBe('3456')
    expect(await text(await domain.readFile(`${directory}/file`, { offsetBytes: 100 }))).toBe('')
    await cleared(domain, directory)
  })

  onOneGuest('plain', 'streams of any size pass, as bytes', async (domain) => {
    const directory = await ownDirectory(domain)
    const chunk = Buffer.from(Array.from({ length: 65_536 }, (_, index) => index % 256))
    await domain.writeFile(`${directory}/big`, Readable.from([chunk, chunk, chunk, chunk]))
    const read: Buffer[] = []
    for await (const bytes of await domain.readFile(`${directory}/big`)) read.push(bytes)
    expect(Buffer.concat(read).equals(Buffer.concat([chunk, chunk, chunk, chunk]))).toBe(true)
    await cleared(domain, directory)
  })

  onOneGuest(
    'plain',
    'a write whose content fails, or that is cancelled, changes nothing',
    async (domain) => {
      const directory = await ownDirectory(domain)
      const path = `${directory}/file`
      await domain.writeFile(path, 'old')
      const failing = Readable.from(
        (async function* () {
          yield 'new'
          throw new Error('the source is gone')
        })(),
      )
      await expect(domain.writeFile(path, failing)).rejects.toThrow('the source is gone')
      const controller = new AbortController()
      const endless = new Readable({ read() {} })
      endless.push('new')
      const writing = domain.writeFile(path, endless, { signal: controller.signal })
      setImmediate(() => controller.abort())
      await expect(writing).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
      expect(await content(domain, path)).toBe('old')
      expect((await domain.listDirectory(directory)).map(({ name }) => name)).toEqual(['file'])
      await cleared(domain, directory)
    },
  )

  onOneGuest(
    'plain',
    'what is not there, or is something else, is refused with the reason of the system',
    async (domain, scene) => {
      const directory = await ownDirectory(domain)
      await domain.writeFile(`${directory}/file`, '')
      await refused(scene, 'ENOENT', () => domain.readFile(`${directory}/none`))
      await refused(scene, 'ENOENT', () => domain.statFile(`${directory}/none`))
      await refused(scene, 'ENOENT', () => domain.writeFile(`${directory}/none/file`, ''))
      await refused(scene, 'ENOENT', () => domain.listDirectory(`${directory}/none`))
      await refused(scene, 'ENOENT', () => domain.removeFile(`${directory}/none`))
      await refused(scene, 'EISDIR', () => domain.readFile(directory))
      await refused(scene, 'EISDIR', () => domain.writeFile(directory, ''))
      await refused(scene, 'ENOTDIR', () => domain.listDirectory(`${directory}/file`))
      await refused(scene, 'EEXIST', () => domain.makeDirectory(directory))
      await cleared(domain, directory)
    },
  )

  onOneGuest(
    'plain',
    'what is no path, or a number that no file has, is an invalid argument',
    async (domain, scene) => {
      for (const path of ['', 'etc/hosts', '/etc/\0hosts', `/${'x/'.repeat(4096)}`]) {
        await scene.refuses('INVALID_ARG', () => domain.readFile(path))
        await scene.refuses('INVALID_ARG', () => domain.writeFile(path, ''))
      }
      for (const number of [-1, 1.5, Number.NaN]) {
        await scene.refuses('INVALID_ARG', () => domain.readFile('/etc/hosts', { offsetBytes: number }))
        await scene.refuses('INVALID_ARG', () => domain.writeFile('/tmp/file', '', { uid: number }))
      }
      await scene.refuses('INVALID_ARG', () => domain.makeDirectory('/tmp/directory', { mode: 0o10000 }))
    },
  )
}

const states = {
  running: (scene: Scene) => scene.running(),
  paused: (scene: Scene) => scene.paused(),
  off: (scene: Scene) => scene.define(),
} as const

/** A directory of the test alone: guests may share their files. */
async function place(scene: Scene, enter: (scene: Scene) => Promise<Domain>) {
  const domain = await enter(scene)
  return { domain, directory: await ownDirectory(domain) }
}

async function ownDirectory(domain: Domain): Promise<string> {
  const directory = `/tmp/${domain.name}`
  await domain.makeDirectory(directory)
  return directory
}

async function cleared(domain: Domain, directory: string): Promise<void> {
  await domain.removeFile(directory, { recursive: true })
}

async function content(domain: Domain, path: string): Promise<string> {
  return text(await domain.readFile(path))
}

async function refused(scene: Scene, code: string, call: () => Promise<unknown>): Promise<void> {
  const error = await scene.refuses('OPERATION_FAILED', call)
  expect(error.cause).toMatchObject({ code })
}
