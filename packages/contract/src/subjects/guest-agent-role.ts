import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** The role `guestAgent`. */
export function guestAgentRole({ test, needing }: Suite): void {
  test('a domain without an agent channel has no agent', async (scene) => {
    const domain = await scene.running()
    await scene.refuses('AGENT_UNRESPONSIVE', () => domain.agentCommand('{"execute":"guest-ping"}'))
  })

  test('a command that is no JSON object is an invalid argument', async (scene) => {
    const domain = await scene.running()
    for (const command of ['', 'guest-ping', '"guest-ping"', '[]', 'null', '{"execute":']) {
      await scene.refuses('INVALID_ARG', () => domain.agentCommand(command))
    }
  })

  needing('agent', 'a command resolves to the JSON of the whole answer', async (scene) => {
    const domain = await scene.running({ guest: 'agent' })
    expect(JSON.parse(await domain.agentCommand('{"execute":"guest-ping"}'))).toEqual({ return: {} })
  })

  needing('agent', 'what the agent refuses is an answer, too', async (scene) => {
    const domain = await scene.running({ guest: 'agent' })
    const answer = JSON.parse(await domain.agentCommand('{"execute":"no-such-command"}'))
    expect(answer).toMatchObject({ error: { class: 'CommandNotFound' } })
  })

  needing('agent', 'commands given at the same time each get their own answer', async (scene) => {
    const domain = await scene.running({ guest: 'agent' })
    const answers = await Promise.all(
      [1, 2, 3].map((id) =>
        domain.agentCommand(JSON.stringify({ execute: 'guest-sync', arguments: { id: 1000 + id } })),
      ),
    )
    expect(answers.map((answer) => JSON.parse(answer).return)).toEqual([1001, 1002, 1003])
  })

  needing('agent', 'the agent is announced when it comes', async (scene) => {
    const domain = await scene.running({ guest: 'agent' })
    await scene.seen('agent/connected', domain)
  })
}
