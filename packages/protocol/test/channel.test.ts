import { Duplex } from 'node:stream'
import { expect, test } from '@jest/globals'
import { Channel } from '../src/index.js'

test('a channel that was closed keeps nothing of what comes while its last packet goes out', async () => {
  const duplex = new Duplex({ read() {}, write() {} })
  const channel = new Channel(duplex, { onFrame: () => {}, onClose: () => {} })
  channel.send(Buffer.alloc(32))
  channel.end()
  duplex.push(Buffer.alloc(65_536))
  await new Promise((resolve) => setImmediate(resolve))
  expect(duplex.readableLength).toBe(0)
  expect(channel.bufferedBytes).toBe(0)
  duplex.destroy()
})
