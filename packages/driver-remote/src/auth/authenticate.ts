import { isVirError, VirError } from '@covirt/core'
import { procedures } from '@covirt/protocol'
import type { RpcCallOptions, RpcClient } from '../rpc-client.js'
import type { CredentialsSource } from './find-credentials.js'

/** How a peer may want to know who we are (virConnectAuthType), by its number. */
const authTypes = { none: 0, sasl: 1, polkit: 2 } as const

/**
 * Tells the peer who we are, in the way it asks for. `AUTH_UNAVAILABLE` where it wants what we cannot do,
 * `AUTH_FAILED` where it does not let us in.
 */
export async function authenticate(
  rpc: RpcClient,
  source: CredentialsSource,
  options: RpcCallOptions,
): Promise<void> {
  const wanted = source.target.auth
  const [way, mechanism] = wanted === undefined ? [] : partsOf(wanted)
  const offered = await offers(rpc, options)
  if (offered.includes(authTypes.sasl) && (way ?? 'sasl') === 'sasl') {
    const { findCredentials } = await import('./find-credentials.js')
    const { logIn } = await import('./log-in.js')
    await logIn(rpc, mechanism, () => findCredentials(source, options), options)
    return
  }
  if ((way ?? 'none') === 'none' && (offered.length === 0 || offered.includes(authTypes.none))) return
  if ((way ?? 'polkit') === 'polkit' && offered.includes(authTypes.polkit)) {
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
      hint: 'Use a name and a password (SASL), a certificate (+tls), or an account over there (+ssh)',
    },
  )
}

/** As libvirt's clients have it: `sasl`, or with a mechanism `sasl.scram-sha-256`. */
function partsOf(wanted: string): readonly [string, string | undefined] {
  const [way = '', ...mechanism] = wanted.split('.')
  return [way, mechanism.length === 0 ? undefined : mechanism.join('.')]
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
