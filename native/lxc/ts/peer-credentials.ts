import { binding } from './binding.js'

/** Who is at the other end of a unix socket: the ids it had when it connected (unix(7), SO_PEERCRED). */
export interface PeerCredentials {
  readonly pid: number
  readonly uid: number
  readonly gid: number
}

/** The credentials of the peer of the connected unix socket `fd`. Throws Node's kind of system error. */
export function peerCredentials(fd: number): PeerCredentials {
  return binding().peerCredentials(fd)
}
