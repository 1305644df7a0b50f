import { type AddressOptions, type GuestInterface, VirError } from '@covirt/core'
import type { Machine } from './machine.js'

/** The interfaces of a simulated guest: a loopback, and one for each of its definition. */
export function interfacesOf(machine: Machine, { source }: AddressOptions): readonly GuestInterface[] {
  const { document, agentConnected } = machine
  if (source === 'agent' && !agentConnected) {
    throw new VirError('AGENT_UNRESPONSIVE', `No agent answers in domain '${document.name}'`, {
      domain: 'TEST',
    })
  }
  const links = document.devices.interfaces.map(({ mac }, index): GuestInterface => {
    // TEST-NET-1 (RFC 5737).
    const addresses = [{ family: 'ipv4', address: `192.0.2.${(index % 250) + 2}`, prefix: 24 } as const]
    return { name: `eth${index}`, mac: mac?.address?.toLowerCase(), addresses }
  })
  return [{ name: 'lo', mac: '00:00:00:00:00:00', addresses: loopbackAddresses }, ...links]
}

const loopbackAddresses = [
  { family: 'ipv4', address: '127.0.0.1', prefix: 8 },
  { family: 'ipv6', address: '::1', prefix: 128 },
] as const
