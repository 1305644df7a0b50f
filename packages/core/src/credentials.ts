import type { CallOptions } from './abort.js'

/** What a peer wants to know of who connects. */
export interface CredentialsRequest {
  /** The connection that is opened, in its canonical form. */
  readonly uri: string
  /** The name that its URI gives, if it gives one. */
  readonly user: string | undefined
}

/** A user of the peer, and how he proves to be that one. */
export interface Credentials {
  readonly user: string
  readonly password: string
}

/**
 * Asked for name and password when a peer wants them, also when a lost connection is made again. `undefined`: there
 * are none.
 */
export type AskCredentials = (
  request: CredentialsRequest,
  options: CallOptions,
) => Credentials | undefined | Promise<Credentials | undefined>
