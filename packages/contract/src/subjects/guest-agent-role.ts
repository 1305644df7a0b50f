import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** The role `guestAgent`. */
export function guestAgentRole({ onOneGuest }: Suite): void {
  onOneGuest('plain', 'a domain without an agent channel has no agent', async (domain, scene) => {
    await scene.refuses('AGENT_UNRESPONSIVE', () => domain.agentCommand('{"execute":"guest-ping"}'))
  })

  onOneGuest('plain', 'a command that is no JSON object is an invalid argument', async (domain, scene) => {
    for (const command of ['', 'guest-ping', '"guest-ping"', '[]', 'null', '{"execute":']) {
      await scene.refuses('INVALID_ARG', () => domain.agentCommand(command))
    }
  })

  onOneGuest('agent', 'a command resolves to the JSON of the whole answer', async (domain) => {
    expect(JSON.parse(await domain.agentCommand('{"execute":"guest-ping"}'))).toEqual({ return: {} })
  })

  onOneGuest('agent', 'what the agent refuses is an answer, too', async (domain) => {
    const answer = JSON.parse(await domain.agentCommand('{"execute":"no-such-command"}'))
    expect(answer).toMatchObject({ error: { class: 'CommandNotFound' } })
  })

  onOneGuest('agent', 'commands given at the same time each get their own answer', async (domain) => {
    const answers = await Promise.all(
      [1, 2, 3].map((id) =>
        domain.agentCommand(JSON.stringify({ execute: 'guest-sync', arguments: { id: 1000 + id } })),
      ),
    )
    expect(answers.map((answer) => JSON.parse(answer).return)).toEqual([1001, 1002, 1003])
  })

  onOneGuest('agent', 'the agent is announced when it comes', async (domain, scene) => {
    await scene.seen('agent/connected', domain)
  })
}
