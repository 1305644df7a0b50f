import { type Credentials, VirError } from '@covirt/core'
import { procedures, ScramClient, scramMechanism } from '@covirt/protocol'
import type { RpcCallOptions, RpcClient } from '../rpc-client.js'

type Answer = { readonly complete: boolean; readonly absent: boolean; readonly data: Uint8Array }

/**
 * Logs in by SASL, by the only mechanism that shows the password to nobody who does not know it already.
 * `AUTH_UNAVAILABLE` where the peer does not have it, `AUTH_FAILED` where either end is not who it should be.
 */
export async function logIn(
  rpc: RpcClient,
  mechanism: string | undefined,
  credentials: () => Promise<Credentials>,
  options: RpcCallOptions,
): Promise<void> {
  const { mechanisms } = await rpc.call(procedures.authSaslInit, {}, options)
  const wanted = (mechanism ?? scramMechanism).toUpperCase()
  if (wanted !== scramMechanism || !mechanisms.split(/[\s,]+/).includes(scramMechanism))
    throw new VirError('AUTH_UNAVAILABLE', `The peer lets in by ${mechanisms || 'nothing'}`, {
      domain: 'AUTH',
      hint: `Set 'mech_list: ${scramMechanism.toLowerCase()}' in its configuration of SASL`,
    })
  const { user, password } = await credentials()
  const client = new ScramClient(user, password)
  const challenge = await rpc.call(
    procedures.authSaslStart,
    { mechanism: scramMechanism, ...said(client.first) },
    options,
  )
  const outcome = await rpc.call(
    procedures.authSaslStep,
    said(await client.answer(textOf(challenge))),
    options,
  )
  client.check(textOf(outcome))
  // Some servers say that it is over only once they are told that they are believed.
  if (!outcome.complete) await rpc.call(procedures.authSaslStep, said(undefined), options)
}

/** No data and empty data are not the same to SASL. */
function said(text: string | undefined) {
  return { absent: text === undefined, data: Buffer.from(text ?? '') }
}

function textOf({ absent, data }: Answer): string {
  return absent ? '' : Buffer.from(data).toString()
}
