import { EventEmitter, once } from 'node:events'
import { Duplex, PassThrough } from 'node:stream'
import type { ConsoleRole, Driver, ExecRole } from '@covirt/core'
import { FakeClock, silentLogger, VirError } from '@covirt/core'
import {
  decodeValue,
  type ExecPacket,
  encodeFrame,
  encodeValue,
  errorRecord,
  execPacket,
  frameStatuses,
  frameTypes,
  type PipePacket,
  pipePacket,
  procedures,
} from '@covirt/protocol'
import { describe, expect, test } from '@jest/globals'
import { serverScene } from './support/scene.js'

/** A client that has the console of the one domain open, which is `stream` here. */
async function consoleScene(stream: Duplex, options: Parameters<typeof serverScene>[0] = {}) {
  const scene = await serverScene(options)
  const driver = scene.connection.driver as Driver as { console: ConsoleRole }
  driver.console = { openConsole: async () => stream }
  const client = await scene.open()
  const { domain } = await client.call('domainLookupByName', { name: 'test' })
  const { header, reply } = client.begin('domainOpenConsole', { domain, flags: 0 })
  const { status } = await reply
  const send = (frameStatus: number, data = '') =>
    client.channel.send(
      encodeFrame({ ...header, type: frameTypes.stream, status: frameStatus }, Buffer.from(data)),
    )
  const frames = async (count: number) => {
    await client.until(() => client.streamFrames.length >= count)
    return client.streamFrames.map((frame) => [frame.status, frame.payload.toString()])
  }
  const { serial } = header
  return { scene, client, serial, status, send, frames, [Symbol.asyncDispose]: scene[Symbol.asyncDispose] }
}

const { ok, error, more } = frameStatuses

describe('a stream', () => {
  test('carries what comes and what is sent, without filling', async () => {
    const stream = new PassThrough()
    await using scene = await consoleScene(stream)
    scene.send(more, 'a')
    expect(await scene.frames(1)).toEqual([[more, 'a']])
  })

  test('that the client finishes is confirmed once what was sent has arrived', async () => {
    const written: string[] = []
    const stream = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        written.push(chunk.toString())
        setImmediate(done)
      },
    })
    await using scene = await consoleScene(stream)
    scene.send(more, 'one')
    scene.send(more, 'two')
    scene.send(ok)
    expect(await scene.frames(1)).toEqual([[ok, '']])
    expect(written).toEqual(['one', 'two'])
  })

  test('that the client gives up is confirmed too, and what is behind it is let go', async () => {
    const stream = new PassThrough()
    await using scene = await consoleScene(stream)
    scene.send(error)
    expect(await scene.frames(1)).toEqual([[ok, '']])
    expect(stream.destroyed).toBe(true)
  })

  test('that ends here is told by an empty packet, and over when the client has said so', async () => {
    const stream = new PassThrough()
    await using scene = await consoleScene(stream)
    stream.end('bye')
    await scene.frames(2)
    scene.send(ok)
    expect(await scene.frames(3)).toEqual([
      [more, 'bye'],
      [more, ''],
      [ok, ''],
    ])
  })

  test('that breaks here is told with the reason', async () => {
    const stream = new PassThrough()
    await using scene = await consoleScene(stream)
    stream.destroy(new VirError('OPERATION_FAILED', 'The cable was pulled'))
    await scene.frames(1)
    const [frame] = scene.client.streamFrames
    expect(frame?.status).toBe(error)
    expect(decodeValue<VirError>(errorRecord, frame?.payload ?? Buffer.alloc(0)).message).toBe(
      'The cable was pulled',
    )
  })

  test('is let go when the client vanishes', async () => {
    const stream = new PassThrough()
    await using scene = await consoleScene(stream)
    scene.client.channel.destroy()
    await once(stream, 'close')
    expect(scene.scene.server.clients).toBeLessThanOrEqual(1)
  })

  test('is let go when the client vanishes before its call is over', async () => {
    const happened = new EventEmitter()
    const tell = (message: string) => void happened.emit(message)
    await using scene = await serverScene({ logger: { ...silentLogger, info: tell, warn: tell } })
    const asked = once(happened, 'asked')
    const gone = once(happened, 'A client has gone')
    const opened = once(happened, 'opened')
    const driver = scene.connection.driver as Driver as { console: ConsoleRole }
    driver.console = {
      openConsole: async () => {
        tell('asked')
        const [stream] = (await opened) as [Duplex]
        return stream
      },
    }
    const client = await scene.open()
    const { domain } = await client.call('domainLookupByName', { name: 'test' })
    client.begin('domainOpenConsole', { domain, flags: 0 })
    await asked
    client.channel.destroy()
    await gone
    const stream = new PassThrough()
    const closed = once(stream, 'close')
    happened.emit('opened', stream)
    await closed
    expect(stream.destroyed).toBe(true)
  })

  test('holds its source where the client does not read, and all of it comes when it reads again', async () => {
    const total = 8_000_000
    let made = 0
    const stream = new Duplex({
      write: (_chunk, _encoding, done) => done(),
      read() {
        if (made >= total) this.push(null)
        else {
          made += 50_000
          this.push(Buffer.alloc(50_000))
        }
      },
    })
    await using scene = await consoleScene(stream)
    scene.client.channel.pause()
    for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve))
    const heldAt = made
    scene.client.channel.resume()
    const received = () => scene.client.streamFrames.reduce((sum, { payload }) => sum + payload.length, 0)
    await scene.client.until(() => received() >= total)
    expect(heldAt).toBeLessThan(total / 2)
    expect(received()).toBe(total)
  })

  test('holds the client where what is behind it takes nothing, and loses nothing', async () => {
    let taken = 0
    let go: (() => void) | undefined
    let released = false
    const stream = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        taken += chunk.length
        if (released) done()
        else go = done
      },
    })
    await using scene = await consoleScene(stream)
    const chunk = 'x'.repeat(100_000)
    for (let count = 0; count < 60; count++) scene.send(more, chunk)
    for (let turns = 0; turns < 100; turns++) await new Promise((resolve) => setImmediate(resolve))
    expect(scene.client.channel.queuedBytes).toBeGreaterThan(1_000_000)
    released = true
    go?.()
    scene.send(ok)
    await scene.frames(1)
    expect(taken).toBe(6_000_000)
  })

  test('is given up where what is behind it takes nothing for too long, and the client is heard again', async () => {
    const clock = new FakeClock()
    const stream = new Duplex({ read() {}, write() {} })
    await using scene = await consoleScene(stream, { clock, limits: { stalledMs: 1000 } })
    const chunk = 'x'.repeat(200_000)
    for (let count = 0; count < 20; count++) scene.send(more, chunk)
    const asked = scene.client.call('connectGetType', {})
    for (let turns = 0; turns < 100; turns++) await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(1000)
    await clock.advance(1000)
    expect(await asked).toEqual({ type: 'TEST' })
    expect((await scene.frames(1))[0]?.[0]).toBe(error)
    expect(stream.destroyed).toBe(true)
  })

  test('stays where another call has the same serial, which is refused', async () => {
    const stream = new PassThrough()
    await using scene = await consoleScene(stream)
    const { domain } = await scene.client.call('domainLookupByName', { name: 'test' })
    const { args, number, program } = procedures.domainOpenConsole
    const repeated = encodeFrame(
      {
        program: program.number,
        version: 1,
        procedure: number,
        type: frameTypes.call,
        serial: scene.serial,
        status: ok,
      },
      (writer) => args.encode(writer, { domain, flags: 0 }),
    )
    const driver = scene.scene.connection.driver as Driver as { console: ConsoleRole }
    const second = new PassThrough()
    driver.console = { openConsole: async () => second }
    expect((await scene.client.raw(repeated, scene.serial)).status).toBe(error)
    expect([stream.destroyed, second.destroyed]).toEqual([false, true])
    scene.send(more, 'a')
    expect(await scene.frames(1)).toEqual([[more, 'a']])
  })
})

test('a terminal that has gone, and can be given no size any more, harms nobody', async () => {
  await using scene = await serverScene()
  const resize = () => {
    throw Object.assign(new Error('TIOCSWINSZ: bad file descriptor'), { code: 'EBADF' })
  }
  const driver = scene.connection.driver as Driver as { console: ConsoleRole }
  driver.console = { openConsole: async () => Object.assign(new PassThrough(), { resize }) }
  const client = await scene.open()
  const { domain } = await client.call('domainLookupByName', { name: 'test' })
  const { header, reply } = client.begin('covirtOpenConsole', {
    domain,
    force: false,
    shared: false,
    historyBytes: 0,
  })
  expect((await reply).status).toBe(ok)
  const sent: readonly PipePacket[] = [
    { kind: 'resize', columns: 80, rows: 24 },
    { kind: 'data', data: Buffer.from('a') },
  ]
  for (const packet of sent) {
    const bytes = encodeValue(pipePacket, packet)
    client.channel.send(encodeFrame({ ...header, type: frameTypes.stream, status: more }, bytes))
  }
  await client.until(() => client.streamFrames.length > 0)
  const [frame] = client.streamFrames
  expect(frame?.status).toBe(more)
  expect(decodeValue(pipePacket, frame?.payload ?? Buffer.alloc(0))).toEqual(sent[1])
})

describe('a program that runs in a guest', () => {
  /** What a client sees of a run of `argv`, to which `input` is sent. */
  const exec = async (argv: readonly string[], ...input: readonly ExecPacket[]) => {
    await using scene = await serverScene()
    const client = await scene.open()
    const { domain } = await client.call('domainLookupByName', { name: 'test' })
    const { header, reply } = client.begin('covirtExec', { domain, argv, env: [] })
    const answer = await reply
    if (answer.status === error) throw decodeValue(errorRecord, answer.payload)
    const send = (status: number, payload: Uint8Array = Buffer.alloc(0)) =>
      client.channel.send(encodeFrame({ ...header, type: frameTypes.stream, status }, payload))
    for (const packet of input) send(more, encodeValue(execPacket, packet))
    const last = () => client.streamFrames.at(-1)
    await client.until(() => last()?.status !== undefined && last()?.payload.length === 0)
    send(ok)
    await client.until(() => last()?.status === ok)
    const packets = client.streamFrames.filter(({ payload }) => payload.length > 0)
    return packets.map(({ payload }) => decodeValue(execPacket, payload))
  }

  test('gets its input, and its output and end are told', async () => {
    const packets = await exec(['cat'], { kind: 'stdin', data: Buffer.from('hello') }, { kind: 'stdin-end' })
    expect(packets).toContainEqual({ kind: 'stdout', data: Buffer.from('hello') })
    expect(packets).toContainEqual({ kind: 'exit', code: 0 })
  })

  test('is given up with the reason where it is asked for what it cannot do', async () => {
    await using scene = await serverScene()
    const driver = scene.connection.driver as Driver as { exec: ExecRole }
    const role = driver.exec
    const resize = () => {
      throw new TypeError('not a terminal')
    }
    driver.exec = {
      exec: async (...args) => Object.assign(await role.exec(...args), { resize }),
    }
    const client = await scene.open()
    const { domain } = await client.call('domainLookupByName', { name: 'test' })
    const { header, reply } = client.begin('covirtExec', { domain, argv: ['cat'], env: [] })
    await reply
    const packet = encodeValue(execPacket, { kind: 'resize', columns: 1, rows: 1 })
    client.channel.send(encodeFrame({ ...header, type: frameTypes.stream, status: more }, packet))
    await client.until(() => client.streamFrames.length > 0)
    const told = client.streamFrames.at(-1)
    expect(told?.status).toBe(error)
    expect(decodeValue(errorRecord, told?.payload ?? Buffer.alloc(0))).toMatchObject({
      code: 'INVALID_ARG',
      message: expect.stringContaining('not a terminal'),
    })
  })

  test('is refused where its guest is off', async () => {
    await using scene = await serverScene()
    const client = await scene.open()
    const { domain } = await client.call('domainLookupByName', { name: 'test' })
    await client.call('domainDestroy', { domain })
    const refused = client.call('covirtExec', { domain, argv: ['cat'], env: [] })
    await expect(refused).rejects.toMatchObject({ code: 'OPERATION_INVALID' })
  })
})
