import type { Identity, ScramVerifier } from '@covirt/server'
import type { TlsConfig } from '../config/config-schema.js'
import { matchesAny } from './glob.js'

/**
 * Whether a client could show once more who it is: one that has logged in has to have the password still that it has logged in
 * with, and the name in a certificate to be among those allowed.
 */
export function knownClients(
  verifiers: ReadonlyMap<string, ScramVerifier>,
  { allowedDns }: Pick<TlsConfig, 'allowedDns'>,
): (identity: Pick<Identity, 'sasl' | 'verifier' | 'certificate'>) => boolean {
  return ({ sasl, verifier, certificate }) =>
    (sasl === undefined || isSame(verifiers.get(sasl), verifier)) &&
    (certificate === undefined || !allowedDns || matchesAny(allowedDns, certificate))
}

/** Whether both are of one setting of one password: each has a salt of its own. */
function isSame(one: ScramVerifier | undefined, other: ScramVerifier | undefined): boolean {
  return one !== undefined && other !== undefined && one.storedKey.equals(other.storedKey)
}
