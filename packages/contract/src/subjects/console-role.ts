import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { expect } from '@jest/globals'
import type { Scene } from '../scene.js'
import type { Suite } from '../suite.js'

/** The role `console`. */
export function consoleRole({ test, needing, onOneGuest }: Suite): void {
  needing('dialogue', 'a console carries bytes in both directions', async (scene) => {
    const domain = await scene.running()
    const stream = await domain.openConsole()
    await converse(scene, stream)
    stream.destroy()
  })

  test('a second opener is refused', async (scene) => {
    const domain = await scene.running()
    const stream = await domain.openConsole()
    await scene.refuses('OPERATION_FAILED', () => domain.openConsole())
    stream.destroy()
  })

  test('a second opener takes the console with force, and the first stream ends', async (scene) => {
    const domain = await scene.running()
    const first = await domain.openConsole()
    const ended = closed(first)
    const second = await domain.openConsole({ force: true })
    await scene.until(ended)
    expect(second.destroyed).toBe(false)
    await scene.refuses('OPERATION_FAILED', () => domain.openConsole())
    second.destroy()
  })

  test('a console that was destroyed can be opened again', async (scene) => {
    const domain = await scene.running()
    const first = await domain.openConsole()
    const ended = closed(first)
    first.destroy()
    await scene.until(ended)
    const second = await domain.openConsole()
    expect(second.writable).toBe(true)
    second.destroy()
  })

  test('a console that was ended can be opened again', async (scene) => {
    const domain = await scene.running()
    const first = await domain.openConsole()
    const ended = closed(first)
    first.end()
    await scene.until(ended)
    const second = await domain.openConsole()
    expect(second.writable).toBe(true)
    second.destroy()
  })

  test('the guest goes on when its console is closed', async (scene) => {
    const domain = await scene.running()
    const stream = await domain.openConsole()
    const ended = closed(stream)
    stream.destroy()
    await scene.until(ended)
    expect(await domain.state()).toEqual({ state: 'running', reason: 'booted' })
    await domain.shutdown()
    await scene.state(domain, 'shutoff')
  })

  test('the stream ends when the guest goes off', async (scene) => {
    const domain = await scene.running()
    const stream = await domain.openConsole()
    const ended = closed(stream)
    await domain.destroy()
    await scene.until(ended)
    expect(stream.destroyed).toBe(true)
  })

  needing('dialogue', 'a console can be opened at each start', async (scene) => {
    const domain = await scene.running()
    await domain.openConsole()
    await domain.destroy()
    await domain.start()
    await scene.until(scene.world.ready(domain))
    const stream = await domain.openConsole()
    await converse(scene, stream)
    stream.destroy()
  })

  needing('dialogue', 'the console of a guest found again works', async (scene) => {
    const domain = await scene.running()
    await scene.reopen()
    const stream = await (await scene.again(domain)).openConsole()
    await converse(scene, stream)
    stream.destroy()
  })

  needing(
    'dialogue',
    'a console is opened by the alias of its device in the live document',
    async (scene) => {
      const domain = await scene.running()
      const device = /<(console|serial)\b[\s\S]*?<alias name=['"]([^'"]+)/.exec(await domain.xml())?.[2]
      expect(device).toBeDefined()
      const stream = await domain.openConsole({ device })
      await converse(scene, stream)
      stream.destroy()
    },
  )

  onOneGuest(
    'plain',
    'a device that the domain does not have is an invalid argument',
    async (domain, scene) => {
      await scene.refuses('INVALID_ARG', () => domain.openConsole({ device: 'no-such-device' }))
    },
  )

  needing(['dialogue', 'sharedConsole'], 'those who share a console all see and say', async (scene) => {
    const domain = await scene.running()
    const first = await domain.openConsole({ shared: true })
    const second = await domain.openConsole({ shared: true })
    const overheard = hear(scene, second)
    await converse(scene, first)
    await overheard
    first.destroy()
    await converse(scene, second)
    second.destroy()
  })

  needing('sharedConsole', 'a shared console is refused to one who wants it alone', async (scene) => {
    const domain = await scene.running()
    const shared = await domain.openConsole({ shared: true })
    await scene.refuses('OPERATION_FAILED', () => domain.openConsole())
    const ended = closed(shared)
    const alone = await domain.openConsole({ force: true })
    await scene.until(ended)
    await scene.refuses('OPERATION_FAILED', () => domain.openConsole({ shared: true }))
    alone.destroy()
  })

  needing('sharedConsole', 'a shared console can be opened alone once the last has left', async (scene) => {
    const domain = await scene.running()
    const streams = [await domain.openConsole({ shared: true }), await domain.openConsole({ shared: true })]
    for (const stream of streams) {
      const ended = closed(stream)
      stream.destroy()
      await scene.until(ended)
    }
    const alone = await domain.openConsole()
    alone.destroy()
  })

  needing('sharedConsole', 'shared streams end when the guest goes off', async (scene) => {
    const domain = await scene.running()
    const streams = [await domain.openConsole({ shared: true }), await domain.openConsole({ shared: true })]
    const ended = streams.map(closed)
    await domain.destroy()
    await scene.until(Promise.all(ended))
  })

  needing(
    ['dialogue', 'sharedConsole', 'restart'],
    'a shared stream stays when the guest restarts',
    async (scene) => {
      const domain = await scene.running()
      const stream = await domain.openConsole({ shared: true })
      await scene.world.restart?.(domain)
      await scene.seen('reboot', domain)
      await scene.until(scene.world.ready(domain))
      await converse(scene, stream)
      stream.destroy()
    },
  )

  needing(
    ['dialogue', 'consoleHistory'],
    'what was printed before is seen by who asks for it, also of a guest found again',
    async (scene) => {
      const domain = await scene.running()
      const first = await domain.openConsole()
      await converse(scene, first)
      const ended = closed(first)
      first.destroy()
      await scene.until(ended)
      await scene.reopen()
      const stream = await (await scene.again(domain)).openConsole({ shared: true, historyBytes: 65_536 })
      await hear(scene, stream)
      stream.destroy()
    },
  )

  test('a signal that fires after the console was opened leaves it open', async (scene) => {
    const domain = await scene.running()
    const controller = new AbortController()
    const stream = await domain.openConsole({ signal: controller.signal })
    controller.abort()
    await domain.state()
    expect(stream.destroyed).toBe(false)
    stream.destroy()
  })
}

/** Says what the fixture's guest understands and waits for its answer. */
async function converse(scene: Scene, stream: Duplex): Promise<void> {
  const heard = hear(scene, stream)
  stream.write(scene.world.dialogue?.say ?? '')
  await heard
}

/** Waits for the answer of the fixture's guest. */
async function hear(scene: Scene, stream: Duplex): Promise<void> {
  const { hear: answer = '' } = scene.world.dialogue ?? {}
  const heard = new Promise<string>((resolve, reject) => {
    let text = ''
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes(answer)) resolve(text)
    })
    stream.on('close', () => reject(new Error(`The console ended; it had said: ${text}`)))
  })
  expect(await scene.until(heard)).toContain(answer)
}

/** Waits for the stream's end, reading what is left, as a stream that nobody reads never ends. */
async function closed(stream: Duplex): Promise<void> {
  stream.resume()
  await once(stream, 'close')
}
