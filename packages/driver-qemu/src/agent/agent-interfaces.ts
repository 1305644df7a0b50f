import { type GuestInterface, type InterfaceAddress, VirError } from '@covirt/core'
import { isObject } from '../qmp/qmp-message.js'
import { parseObject } from './agent-codec.js'

/** The most that is believed of a guest. */
const maxInterfaces = 4096

/**
 * What `guest-network-get-interfaces` answered (qemu-ga-ref(7)). What a guest says is not trusted to be of the form that
 * it should have: what is not is left out.
 */
export function parseInterfaces(answer: string): readonly GuestInterface[] {
  const { return: list, error } = parseObject(answer) ?? {}
  if (!Array.isArray(list)) {
    const reason = isObject(error) ? String(error.desc) : 'it answered something else'
    throw new VirError('OPERATION_FAILED', `The guest agent does not tell its interfaces: ${reason}`, {
      domain: 'QEMU',
    })
  }
  return list.slice(0, maxInterfaces).flatMap((entry: unknown) => {
    if (!isObject(entry) || typeof entry.name !== 'string') return []
    const mac = entry['hardware-address']
    const addresses = entry['ip-addresses']
    return [
      {
        name: entry.name,
        ...(typeof mac === 'string' && { mac: mac.toLowerCase() }),
        addresses: Array.isArray(addresses) ? addresses.slice(0, maxInterfaces).flatMap(parseAddress) : [],
      },
    ]
  })
}

function parseAddress(entry: unknown): InterfaceAddress[] {
  if (!isObject(entry)) return []
  const { 'ip-address': address, 'ip-address-type': family, prefix } = entry
  if (family !== 'ipv4' && family !== 'ipv6') return []
  if (typeof address !== 'string' || typeof prefix !== 'number') return []
  return [{ family, address: address.replace(/%.*$/, ''), prefix }]
}
