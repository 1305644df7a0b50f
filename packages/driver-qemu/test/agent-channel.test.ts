import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { systemClock } from '@covirt/core'
import { describe, expect, test } from '@jest/globals'
import { tempRoot } from '../../../test/fixtures/index.js'
import { AgentChannel } from '../src/agent/agent-channel.js'
import { connectUnix } from '../src/process/unix-socket.js'

const patient = { clock: systemClock, timeoutMs: 30_000 }
const hasty = { clock: systemClock, timeoutMs: 50 }

describe('the channel of an agent', () => {
  test('passes over what an earlier talk has left', async () => {
    await using agent = await FakeAgent.start((line, say) => {
      const { execute, arguments: args } = JSON.parse(line)
      if (execute === 'guest-sync-delimited') say('{"return": 17}\n{"ret', 0xff, `{"return":${args.id}}\n`)
      else say('{"return":"pong"}\n')
    })
    expect(await agent.channel.talk('{"execute":"x"}', patient)).toEqual({
      kind: 'answer',
      line: '{"return":"pong"}',
    })
  })

  test('holds one talk at a time', async () => {
    await using agent = await FakeAgent.start(obedient)
    const answers = await Promise.all(
      [1, 2, 3].map((n) => agent.channel.talk(`{"execute":"e","n":${n}}`, patient)),
    )
    expect(answers.map((answer) => answer.kind === 'answer' && JSON.parse(answer.line).return)).toEqual([
      1, 2, 3,
    ])
  })

  test('says that nobody answers', async () => {
    await using agent = await FakeAgent.start(() => {})
    await expect(agent.channel.talk('{}', hasty)).rejects.toMatchObject({ code: 'AGENT_UNRESPONSIVE' })
  })

  test('tells silence after the request from silence before it', async () => {
    await using agent = await FakeAgent.start((line, say) => {
      if (JSON.parse(line).execute === 'guest-sync-delimited') obedient(line, say)
    })
    expect(await agent.channel.talk('{"execute":"guest-shutdown"}', hasty)).toEqual({ kind: 'silent' })
  })

  test('goes on after a talk that was given up', async () => {
    await using agent = await FakeAgent.start(obedient)
    const controller = new AbortController()
    const given = agent.channel.talk('{"execute":"e","n":1}', patient, { signal: controller.signal })
    controller.abort()
    await expect(given).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
    expect(await agent.channel.talk('{"execute":"e","n":2}', patient)).toEqual({
      kind: 'answer',
      line: '{"return":2}',
    })
  })
})

type Say = (...parts: (string | number)[]) => void

/** Answers each request with its number. */
function obedient(line: string, say: Say): void {
  const { execute, arguments: args, n } = JSON.parse(line)
  if (execute === 'guest-sync-delimited') say(0xff, `{"return":${args.id}}\n`)
  else say(`{"return":${n}}\n`)
}

/** The guest's end of a channel. */
class FakeAgent implements AsyncDisposable {
  readonly channel: AgentChannel
  readonly #close: () => Promise<void>

  private constructor(channel: AgentChannel, close: () => Promise<void>) {
    this.channel = channel
    this.#close = close
  }

  static async start(answer: (line: string, say: Say) => void): Promise<FakeAgent> {
    const root = await tempRoot()
    const sockets: Socket[] = []
    const server = createServer((socket) => {
      sockets.push(socket)
      let text = ''
      socket.on('error', () => {})
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1').replaceAll('\xff', '')
        for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
          const line = text.slice(0, end)
          text = text.slice(end + 1)
          answer(line, (...parts) => {
            for (const part of parts) socket.write(typeof part === 'number' ? Buffer.from([part]) : part)
          })
        }
      })
    })
    server.listen(root.join('agent.sock'))
    await once(server, 'listening')
    const channel = new AgentChannel(() => connectUnix(root.path, 'agent.sock'))
    return new FakeAgent(channel, async () => {
      channel.close()
      for (const socket of sockets) socket.destroy()
      server.close()
      await root[Symbol.asyncDispose]()
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close()
  }
}
