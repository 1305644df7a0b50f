import { once } from 'node:events'
import { Duplex, PassThrough, Readable } from 'node:stream'
import {
  Connection,
  type ConsoleRole,
  type Driver,
  type ExecExit,
  type ExecRole,
  type FilesRole,
  parseConnectUri,
} from '@covirt/core'
import { type TestDriver, testProvider } from '@covirt/driver-test'
import { describe, expect, test } from '@jest/globals'
import { uniqueName } from '../../../test/fixtures/index.js'
import { remoteProvider } from '../src/index.js'
import { serve } from './wire-world.js'

const mebibyte = Buffer.alloc(1_048_576)

/** A connection to a driver with `roles` of its own, and the domain that there is. */
async function scene(roles: Partial<{ console: ConsoleRole; files: FilesRole; exec: ExecRole }>) {
  const uri = parseConnectUri(`test:///default?root=${uniqueName('flow')}`)
  const open = async (): Promise<Driver> => {
    const driver: TestDriver = await testProvider.open(uri)
    return Object.assign(driver, roles)
  }
  const served = await serve({ open })
  const connection = new Connection(await remoteProvider.open(parseConnectUri(served.uri)))
  const domain = await connection.domains.lookupByName('test')
  return {
    domain,
    async [Symbol.asyncDispose]() {
      await connection.close()
      await served[Symbol.asyncDispose]()
    },
  }
}

/** Takes nothing until it is told to. */
class Sluggish extends Duplex {
  taken = 0
  readonly sizes: (readonly [number, number])[] = []
  readonly resize = (columns: number, rows: number) => void this.sizes.push([columns, rows])
  #release: (() => void)[] | undefined = []

  constructor() {
    super({ highWaterMark: 65_536 })
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.taken += chunk.length
    if (this.#release) this.#release.push(done)
    else done()
  }

  letGo(): void {
    const waiting = this.#release ?? []
    this.#release = undefined
    for (const done of waiting) done()
  }
}

describe('a stream of covirt whose end is slow', () => {
  test('holds up what is written to it and nothing else on the connection, and loses nothing', async () => {
    const guest = new Sluggish()
    await using it = await scene({ console: { openConsole: async () => guest } })
    const stream = await it.domain.openConsole()
    for (let count = 0; count < 16; count++) stream.write(mebibyte)
    await expect(it.domain.state()).resolves.toMatchObject({ state: 'running' })
    expect(guest.writableLength).toBeLessThan(4 * mebibyte.length)
    guest.letGo()
    stream.end()
    await once(stream, 'finish')
    expect(guest.taken).toBe(16 * mebibyte.length)
    stream.destroy()
  })

  test('is waited for by what is read from it, however much there is', async () => {
    let made = 0
    const readFile = async () =>
      Readable.from(
        (async function* () {
          for (; made < 48; made++) yield mebibyte
        })(),
      )
    await using it = await scene({ files: { readFile } as unknown as FilesRole })
    const stream = await it.domain.readFile('/big')
    await it.domain.state()
    await it.domain.state()
    expect(made).toBeLessThan(40)
    let read = 0
    for await (const chunk of stream) read += (chunk as Buffer).length
    expect(read).toBe(48 * mebibyte.length)
  })

  test('lets calls pass while a program does not read its input', async () => {
    const stdin = new Sluggish()
    let exit: (exit: ExecExit) => void = () => {}
    const program = {
      pid: 1,
      stdin,
      stdout: Readable.from([]),
      stderr: new PassThrough().end(),
      exit: new Promise<ExecExit>((resolve) => {
        exit = resolve
      }),
      resize: () => {},
      kill: () => {},
    }
    await using it = await scene({ exec: { exec: async () => program } })
    const process = await it.domain.exec(['cat'])
    for (let count = 0; count < 16; count++) process.stdin.write(mebibyte)
    await expect(it.domain.state()).resolves.toMatchObject({ state: 'running' })
    expect(stdin.writableLength).toBeLessThan(4 * mebibyte.length)
    stdin.letGo()
    process.stdin.end()
    await once(stdin, 'finish')
    expect(stdin.taken).toBe(16 * mebibyte.length)
    exit({ code: 0 })
    await expect(process.exit).resolves.toEqual({ code: 0 })
  })
})

test('the size of a terminal is told to a console that can be told, and to no other', async () => {
  const guest = new Sluggish()
  guest.letGo()
  const plain = new PassThrough()
  await using it = await scene({
    console: { openConsole: async (_domain, { device } = {}) => (device === undefined ? guest : plain) },
  })
  const stream = await it.domain.openConsole()
  stream.resize?.(80, 24)
  stream.end('x')
  await once(stream, 'finish')
  expect(guest.sizes).toEqual([[80, 24]])
  const other = await it.domain.openConsole({ device: 'plain' })
  expect(other.resize).toBeUndefined()
  other.destroy()
})
