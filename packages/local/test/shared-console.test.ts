import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { readLogTail, SharedConsole } from '../src/index.js'

function sharedConsole(history = '') {
  const sources: PassThrough[] = []
  const shared = new SharedConsole({
    connect: async () => {
      const source = new PassThrough()
      sources.push(source)
      return source
    },
    readHistory: async (bytes) => Buffer.from(history.slice(-bytes)),
  })
  const source = () => sources.at(-1) as PassThrough
  return { shared, sources, source }
}

test('output that is both in the history and new is shown once', async () => {
  const sources: PassThrough[] = []
  const shared = new SharedConsole({
    connect: async () => {
      const source = new PassThrough()
      sources.push(source)
      return source
    },
    readHistory: async () => {
      sources[0]?.write('second third')
      await setImmediate()
      return Buffer.from('first second')
    },
  })
  const viewer = await shared.join({ historyBytes: 100 })
  expect(String(viewer.read())).toBe('first second third')
  await shared.end()
})

test('a viewer that reads nothing costs the others nothing, and a bounded amount of memory', async () => {
  const { shared, source } = sharedConsole()
  const idle = await shared.join({ historyBytes: 0 })
  const reading = await shared.join({ historyBytes: 0 })
  let seen = 0
  reading.on('data', (chunk: Buffer) => {
    seen += chunk.length
  })
  const total = 8 << 20
  for (let sent = 0; sent < total; sent += 65_536) {
    source().write(Buffer.alloc(65_536))
    await setImmediate()
  }
  expect(seen).toBe(total)
  expect(idle.readableLength).toBeLessThanOrEqual((1 << 20) + 65_536)
  await shared.end()
})

test('viewers stay while the console is away, and see it again', async () => {
  const { shared, sources, source } = sharedConsole()
  const viewer = await shared.join({ historyBytes: 0 })
  await shared.detach()
  expect(viewer.destroyed).toBe(false)
  viewer.write('typed in vain')
  await shared.reattach()
  source().write('again')
  const [chunk] = await once(viewer, 'data')
  expect(String(chunk)).toBe('again')
  expect(sources).toHaveLength(2)
  await shared.end()
})

test('the console is let go of when the last viewer leaves', async () => {
  const { shared, source } = sharedConsole()
  const [one, two] = [await shared.join({ historyBytes: 0 }), await shared.join({ historyBytes: 0 })]
  one.destroy()
  await once(one, 'close')
  expect(source().destroyed).toBe(false)
  two.destroy()
  await once(two, 'close')
  expect(source().destroyed).toBe(true)
  expect(shared.inUse).toBe(false)
})

test('the tail of a log reaches into the one before it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cv-log-'))
  const file = join(directory, 'log')
  await writeFile(`${file}.1`, 'older ')
  await writeFile(file, 'newer')
  expect(String(await readLogTail(file, 3))).toBe('wer')
  expect(String(await readLogTail(file, 8))).toBe('er newer')
  expect(String(await readLogTail(file, 100))).toBe('older newer')
  expect(await readLogTail(join(directory, 'none'), 100)).toHaveLength(0)
  await rm(directory, { recursive: true })
})

test('viewers’ streams end also where the console fails at its end', async () => {
  const { shared, source } = sharedConsole()
  const viewer = await shared.join({ historyBytes: 0 })
  source()._final = (done) => done(new Error('EIO'))
  viewer.resume()
  const ended = once(viewer, 'end')
  await shared.end()
  await ended
})
