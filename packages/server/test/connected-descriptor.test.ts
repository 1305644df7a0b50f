import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough, type Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from '@jest/globals'
import { connectedDescriptor } from '../src/connected-descriptor.js'
import { duplexPair } from './support/duplex-pair.js'

test('whoever is given the descriptor reads what the stream says, from its first byte', async () => {
  const stream = new PassThrough()
  stream.write('RFB 003.008\n')
  const { descriptor, release } = await connectedDescriptor(stream)
  const reader = spawn('head', ['-n', '1'], { stdio: [descriptor, 'pipe', 'inherit'] })
  release()
  expect(await text(reader.stdout as Readable)).toBe('RFB 003.008\n')
})

test('what is written to the descriptor comes out of the stream, and its end ends the stream', async () => {
  const [near, far] = duplexPair()
  const { descriptor, release } = await connectedDescriptor(near)
  const writer = spawn('echo', ['hello'], { stdio: ['ignore', descriptor, 'inherit'] })
  release()
  const [said] = await Promise.all([text(far), once(writer, 'exit')])
  expect(said).toBe('hello\n')
})
