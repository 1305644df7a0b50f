import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { AcceptOptions, Identity } from '@covirt/server'

/** What is known of a client. */
export interface ClientIdentity extends Identity {
  /** The supplementary groups of the process at the other end of a unix socket. */
  readonly groups?: readonly number[] | undefined
  /** The client's certificate itself. */
  readonly x509?: X509Certificate | undefined
}

/** Somebody who has connected and is known as far as a listener can know it. */
export interface Incoming {
  readonly stream: Duplex
  readonly identity: ClientIdentity
  readonly readOnly: boolean
  readonly auth: AcceptOptions['auth']
  /** Passes a file descriptor to the client, where that is possible. */
  readonly sendDescriptor?: ((descriptor: number) => Promise<void>) | undefined
}

/** Takes over connections. */
export type Accept = (incoming: Incoming) => void

/** What listens for clients. */
export interface Listener {
  /** Where, for logs and people. */
  readonly address: string
  /** Ends listening; connections that were accepted live on. */
  close(): Promise<void>
}

/** The file descriptor of a socket, which Node keeps to itself; `undefined` where it is closed already. */
export function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } | null }
  const fd = handle?.fd
  return fd !== undefined && fd >= 0 ? fd : undefined
}
