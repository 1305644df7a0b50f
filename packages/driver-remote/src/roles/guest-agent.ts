import { type GuestAgentRole, isVirError, VirError } from '@covirt/core'
import { procedures } from '@covirt/protocol'
import type { PeerCalls } from '../peer-calls.js'

/** The agent inside the guest, through libvirt's program for QEMU. The protocol counts whole seconds. */
export function guestAgentRole(calls: PeerCalls): GuestAgentRole {
  return {
    agentCommand: async (domain, command, { timeoutMs = 5000, signal } = {}) => {
      checkCommand(command)
      const args = { domain, command, timeoutS: Math.max(1, Math.ceil(timeoutMs / 1000)), flags: 0 }
      try {
        const { result } = await calls.call(procedures.qemuAgentCommand, args, { signal })
        return result ?? ''
      } catch (error) {
        // libvirt's word for a domain without a channel for its agent.
        if (!isVirError(error, 'ARGUMENT_UNSUPPORTED')) throw error
        throw new VirError('AGENT_UNRESPONSIVE', error.message, { domain: 'QEMU', cause: error })
      }
    },
  }
}

/** libvirt would send anything to the agent. */
function checkCommand(command: string): void {
  let value: unknown
  try {
    value = JSON.parse(command)
  } catch (cause) {
    throw new VirError('INVALID_ARG', 'The command for the agent is not JSON', { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new VirError('INVALID_ARG', 'The command for the agent is not a JSON object')
}
