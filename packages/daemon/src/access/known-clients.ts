import type { Identity } from '@covirt/server'
import type { TlsConfig } from '../config/config-schema.js'
import { matchesAny } from './glob.js'

/**
 * Whether a client could show once more who it is: one that has logged in has to be among `users` still, and the name
 * in a certificate among those allowed.
 */
export function knownClients(
  users: readonly string[],
  { allowedDns }: Pick<TlsConfig, 'allowedDns'>,
): (identity: Pick<Identity, 'sasl' | 'certificate'>) => boolean {
  const names = new Set(users)
  return ({ sasl, certificate }) =>
    (sasl === undefined || names.has(sasl)) &&
    (certificate === undefined || !allowedDns || matchesAny(allowedDns, certificate))
}
