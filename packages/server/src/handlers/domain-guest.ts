import {
  type AddressSource,
  type DomainRef,
  type GuestInterface,
  isVirError,
  requireRole,
  VirError,
} from '@covirt/core'
import type { Call, Handlers } from '../handler.js'
import { checkFlags } from './flags.js'

/** virDomainInterfaceAddressesSource. */
const sources: readonly AddressSource[] = ['lease', 'agent', 'guest']
/** virIPAddrType. */
const families = ['ipv4', 'ipv6'] as const

export const domainGuestHandlers = {
  domainInterfaceAddresses: async (call, { domain, source, flags }) => {
    checkFlags(flags, 0, "a guest's addresses")
    const found = await interfacesOf(call, domain, sources[source])
    return {
      interfaces: found.map(({ name, mac, addresses }) => ({
        name,
        mac,
        addresses: addresses.map(({ family, address, prefix }) => ({
          type: families.indexOf(family),
          address,
          prefix,
        })),
      })),
    }
  },
} satisfies Handlers

async function interfacesOf(
  call: Call,
  domain: DomainRef,
  source: AddressSource | undefined,
): Promise<readonly GuestInterface[]> {
  if (source === undefined) throw new VirError('INVALID_ARG', 'There is no such source of addresses')
  // To ask the agent is to have something done inside of the guest.
  if (source === 'agent') call.require('operate')
  const { driver, options } = call
  const role = requireRole(driver, 'addresses')
  try {
    return await role.listInterfaceAddresses(domain, { ...options, source })
  } catch (error) {
    // Clients ask for leases where nobody has told them anything else.
    if (source !== 'lease' || !isVirError(error, 'ARGUMENT_UNSUPPORTED')) throw error
  }
  try {
    return await role.listInterfaceAddresses(domain, { ...options, source: 'guest' })
  } catch (error) {
    if (!isVirError(error, 'ARGUMENT_UNSUPPORTED')) throw error
  }
  return interfacesOf(call, domain, 'agent')
}
