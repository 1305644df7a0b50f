import { type GuestAgentRole, type GuestTimeRole, VirError } from '@covirt/core'

/** The role `guestTime` of a driver whose guests have the QEMU guest agent (qemu-ga: `guest-get-time`, `guest-set-time`). */
export function agentTime(agent: GuestAgentRole): GuestTimeRole {
  return {
    async getTime(domain, options) {
      const answer = await agent.agentCommand(domain, '{"execute":"guest-get-time"}', options)
      // As text: the number has more digits than JavaScript's have.
      const time = /"return"\s*:\s*(\d{1,19})\b/.exec(answer)?.[1]
      if (time === undefined) throw refused('tell', answer)
      return BigInt(time)
    },
    async setTime(domain, timeNs, options) {
      const time = timeNs === undefined ? '' : `,"arguments":{"time":${timeNs}}`
      const answer = await agent.agentCommand(domain, `{"execute":"guest-set-time"${time}}`, options)
      if (!/"return"/.test(answer)) throw refused('set', answer)
    },
  }
}

function refused(verb: string, answer: string): VirError {
  return new VirError('OPERATION_FAILED', `The agent does not ${verb} the time: ${answer.slice(0, 300)}`, {
    domain: 'DOM',
  })
}
