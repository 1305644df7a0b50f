import { requireRole } from '@covirt/core'
import type { Handlers } from '../handler.js'
import { checkFlags } from './flags.js'

/** virDomainQemuAgentCommandTimeoutValues. */
const timeouts = { block: -2, standard: -1, none: 0 }
/** As long as a client may mean it by "as long as it takes". */
const longestMs = 600_000

export const qemuHandlers = {
  qemuAgentCommand: async ({ driver, options }, { domain, command, timeoutS, flags }) => {
    checkFlags(flags, 0, "a command to a guest's agent")
    const agent = requireRole(driver, 'guestAgent')
    return {
      result: await agent.agentCommand(domain, command, { ...options, timeoutMs: timeoutMsOf(timeoutS) }),
    }
  },
} satisfies Handlers

function timeoutMsOf(timeoutS: number): number | undefined {
  if (timeoutS === timeouts.standard) return undefined
  if (timeoutS === timeouts.block) return longestMs
  if (timeoutS === timeouts.none) return 1
  return Math.min(longestMs, Math.max(1, timeoutS) * 1000)
}
