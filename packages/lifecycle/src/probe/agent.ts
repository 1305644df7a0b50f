import { requireRole } from '@covirt/core'
import type { Probe } from './probe.js'

/** The guest agent answers. */
export const probeAgent: Probe<'agent'> = async (_spec, { driver, domain, signal }) => {
  await requireRole(driver, 'guestAgent').agentCommand(domain, '{"execute":"guest-ping"}', { signal })
}
