import type { ScramVerifier } from '@covirt/protocol'

/** Who is at the other end of a connection, as whoever accepted it has made sure of. */
export interface Identity {
  /** What logs and policies call it: a user's name, a certificate's subject. */
  readonly name: string
  readonly transport: 'unix' | 'tcp' | 'tls'
  /** Of the process at the other end of a unix socket (SO_PEERCRED, unix(7)). */
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  readonly pid?: number | undefined
  /** Where the client is, where it is not on this host. */
  readonly address?: string | undefined
  /** Who it has shown to be with a password. */
  readonly sasl?: string | undefined
  /** By what that password was seen to be right: another one once it has been changed. */
  readonly verifier?: ScramVerifier | undefined
  /** The distinguished name of the client's certificate. */
  readonly certificate?: string | undefined
}
