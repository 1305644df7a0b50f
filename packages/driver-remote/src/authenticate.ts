import { isVirError, VirError } from '@covirt/core'
import { procedures } from '@covirt/protocol'
import type { RpcCallOptions, RpcClient } from './rpc-client.js'

/** How a peer may want to know who we are (virConnectAuthType), by its number. */
const authTypes = { none: 0, sasl: 1, polkit: 2 } as const

/**
 * Tells the peer who we are, in the way it asks for. `AUTH_UNAVAILABLE` where it wants what we cannot do,
 * `AUTH_FAILED` where it does not let us in.
 */
export async function authenticate(
  rpc: RpcClient,
  wanted: string | undefined,
  options: RpcCallOptions,
): Promise<void> {
  const offered = await offers(rpc, options)
  if (wanted === undefined && (offered.length === 0 || offered.includes(authTypes.none))) return
  if ((wanted ?? 'polkit') === 'polkit' && offered.includes(authTypes.polkit)) {
    await rpc.call(procedures.authPolkit, {}, options)
    return
  }
  const names = Object.entries(authTypes).flatMap(([name, number]) =>
    offered.includes(number) ? [name] : [],
  )
  const ask = wanted === undefined ? '' : `, and '${wanted}' was asked for`
  throw new VirError(
    'AUTH_UNAVAILABLE',
    `The peer lets in who can do ${names.join(' or ') || 'nothing'}${ask}`,
    {
      domain: 'AUTH',
      hint: 'Use a certificate (+tls), an account over there (+ssh), or a socket that asks for nothing',
    },
  )
}

async function offers(rpc: RpcClient, options: RpcCallOptions): Promise<readonly number[]> {
  try {
    return (await rpc.call(procedures.authList, {}, options)).types
  } catch (error) {
    // As old as libvirt's daemons can be: nothing to ask for.
    if (isVirError(error, 'NO_SUPPORT')) return []
    throw error
  }
}
