import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import { tempRoot } from '../../../test/fixtures/index.js'
import { connectUnix, maxSocketPath } from '../src/process/unix-socket.js'
import { LineDecoder } from '../src/qmp/line-decoder.js'
import { QmpChannel } from '../src/qmp/qmp-channel.js'
import { QmpClosedError, QmpError } from '../src/qmp/qmp-error.js'
import type { QmpEvent } from '../src/qmp/qmp-message.js'

describe('the line decoder', () => {
  test('puts lines together from any pieces', () => {
    const decoder = new LineDecoder(100)
    const lines = [...'{"a":1}\r\n\n{"ü":2}\n{'].flatMap((letter) =>
      [...Buffer.from(letter)].flatMap((byte) => decoder.push(Buffer.from([byte]))),
    )
    expect(lines).toEqual(['{"a":1}', '', '{"ü":2}'])
  })

  test('refuses a line that is too long before it has ended', () => {
    const decoder = new LineDecoder(10)
    decoder.push(Buffer.alloc(10, 'x'))
    expect(() => decoder.push(Buffer.from('x'))).toThrow(RangeError)
  })
})

describe('a QMP channel', () => {
  test('gives each command its own answer, in whatever order they come', async () => {
    await using qemu = await FakeQemu.start()
    const channel = await qemu.open()
    const answers = [channel.execute('one'), channel.execute('two')]
    const [first, second] = [await qemu.hears('one'), await qemu.hears('two')]
    qemu.say({ return: 2, id: second }, { return: 1, id: first })
    expect(await Promise.all(answers)).toEqual([1, 2])
  })

  test('rejects with what QEMU refuses, by its class', async () => {
    await using qemu = await FakeQemu.start()
    const channel = await qemu.open()
    const refused = channel.execute('bad')
    qemu.say({ error: { class: 'CommandNotFound', desc: 'no bad' }, id: await qemu.hears('bad') })
    const error = await refused.catch((reason) => reason)
    expect(error).toBeInstanceOf(QmpError)
    expect(error).toMatchObject({ class: 'CommandNotFound', message: 'no bad', command: 'bad' })
  })

  test('keeps events for whoever listens later, in their order', async () => {
    await using qemu = await FakeQemu.start()
    const channel = await qemu.open()
    const done = channel.execute('x')
    qemu.say(
      { event: 'STOP', data: {} },
      { event: 'RESUME', data: {} },
      { return: {}, id: await qemu.hears('x') },
    )
    await done
    const events: string[] = []
    channel.listen({ event: ({ name }: QmpEvent) => events.push(name), closed: () => {} })
    expect(events).toEqual(['STOP', 'RESUME'])
  })

  test('that is lost rejects what waits and what comes, and says so once', async () => {
    await using qemu = await FakeQemu.start()
    const channel = await qemu.open()
    const closed: Error[] = []
    channel.listen({ event: () => {}, closed: (error) => closed.push(error) })
    const waiting = channel.execute('x')
    await qemu.hears('x')
    qemu.hangUp()
    await expect(waiting).rejects.toBeInstanceOf(QmpClosedError)
    await expect(channel.execute('y')).rejects.toBeInstanceOf(QmpClosedError)
    expect(closed).toHaveLength(1)
  })

  test('tells the last words of a QEMU that is gone, though a command to it has failed meanwhile', async () => {
    await using qemu = await FakeQemu.start()
    const channel = await qemu.open()
    const told: string[] = []
    const end = new Promise<void>((resolve) =>
      channel.listen({ event: ({ name }) => told.push(name), closed: () => resolve() }),
    )
    qemu.say({ event: 'SHUTDOWN', data: {} })
    qemu.hangUp()
    await expect(channel.execute('x')).rejects.toBeInstanceOf(QmpClosedError)
    await end
    expect(told).toEqual(['SHUTDOWN'])
  })

  test('is closed by what is no QMP', async () => {
    await using qemu = await FakeQemu.start()
    const channel = await qemu.open()
    const waiting = channel.execute('x')
    qemu.sayText('HTTP/1.1 400 Bad Request\n')
    await expect(waiting).rejects.toThrow(/no QMP/)
  })

  test('gives up a command at a signal, and goes on with the next', async () => {
    await using qemu = await FakeQemu.start()
    const channel = await qemu.open()
    const controller = new AbortController()
    const given = channel.execute('slow', {}, { signal: controller.signal })
    const slow = await qemu.hears('slow')
    controller.abort()
    await expect(given).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
    const next = channel.execute('next')
    qemu.say({ return: 'late', id: slow }, { return: 'next', id: await qemu.hears('next') })
    expect(await next).toBe('next')
  })

  test('is reached in a directory deeper than a socket address can tell', async () => {
    await using root = await tempRoot()
    const deep = root.join(...Array(8).fill('a-directory-with-a-long-name'))
    await mkdir(deep, { recursive: true })
    expect(deep.length).toBeGreaterThan(maxSocketPath)
    const server = createServer()
    const before = process.cwd()
    process.chdir(deep)
    server.listen('s.sock')
    await once(server, 'listening')
    process.chdir(before)
    const socket = await connectUnix(deep, 's.sock')
    expect(socket.readyState).toBe('open')
    socket.destroy()
    server.close()
  })
})

/** The other end of a channel, which says what a test tells it to. */
class FakeQemu implements AsyncDisposable {
  readonly #root: Awaited<ReturnType<typeof tempRoot>>
  readonly #server: Server
  #peer: Socket | undefined
  #heard: { execute: string; id: number }[] = []
  #onHeard: (() => void) | undefined

  private constructor(root: Awaited<ReturnType<typeof tempRoot>>, server: Server) {
    this.#root = root
    this.#server = server
  }

  static async start(): Promise<FakeQemu> {
    const root = await tempRoot()
    const server = createServer()
    const qemu = new FakeQemu(root, server)
    server.on('connection', (socket) => qemu.#greet(socket))
    server.listen(root.join('monitor.sock'))
    await once(server, 'listening')
    return qemu
  }

  async open(): Promise<QmpChannel> {
    const opening = QmpChannel.open(await connectUnix(this.#root.path, 'monitor.sock'))
    this.say({ return: {}, id: await this.hears('qmp_capabilities') })
    return opening
  }

  say(...messages: readonly object[]): void {
    this.sayText(messages.map((message) => `${JSON.stringify(message)}\r\n`).join(''))
  }

  sayText(text: string): void {
    this.#peer?.write(text)
  }

  hangUp(): void {
    this.#peer?.destroy()
  }

  async hears(command: string): Promise<number> {
    for (;;) {
      const found = this.#heard.find(({ execute }) => execute === command)
      if (found) return found.id
      await new Promise<void>((resolve) => {
        this.#onHeard = resolve
      })
    }
  }

  #greet(socket: Socket): void {
    this.#peer = socket
    const decoder = new LineDecoder(1 << 20)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      this.#heard.push(...decoder.push(chunk).map((line) => JSON.parse(line)))
      this.#onHeard?.()
    })
    this.say({ QMP: { version: { qemu: { major: 7, minor: 2, micro: 0 } }, capabilities: [] } })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#peer?.destroy()
    this.#server.close()
    await this.#root[Symbol.asyncDispose]()
  }
}
