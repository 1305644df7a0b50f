import { binding } from './binding.js'

/** Who is at the other end of a unix socket: the ids it had when it connected (unix(7), SO_PEERCRED). */
export interface PeerCredentials {
  readonly pid: number
  readonly uid: number
  readonly gid: number
  /** The supplementary groups (SO_PEERGROUPS); empty on a kernel older than 4.13. */
  readonly groups: readonly number[]
}

/** The credentials of the peer of the connected unix socket `fd`. Throws Node's kind of system error. */
export function peerCredentials(fd: number): PeerCredentials {
  return { ...binding().peerCredentials(fd), groups: peerGroups(fd) }
}

function peerGroups(fd: number): readonly number[] {
  try {
    return binding().peerGroups(fd)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOPROTOOPT') return []
    throw error
  }
}

/**
 * Passes `descriptor` to the peer of the connected unix socket `socket`, with one byte of zero (unix(7),
 * SCM_RIGHTS). The descriptor stays open here. Never waits: false where the socket is full, and nothing was
 * sent. Throws Node's kind of system error.
 */
export function sendDescriptor(socket: number, descriptor: number): boolean {
  return binding().sendDescriptor(socket, descriptor)
}

/**
 * Sends one datagram to the unix socket at `path`; a leading `@` means the abstract name space, as in
 * `$NOTIFY_SOCKET` (sd_notify(3)). Throws Node's kind of system error.
 */
export function sendDatagram(path: string, text: string): void {
  binding().sendDatagram(path, text)
}

/** Throws, with a sentence for a person, where the functions here cannot be called: the addon is missing or old. */
export function checkSocketCalls(): void {
  if (typeof binding().sendDatagram === 'function') return
  throw new Error('covirt_lxc.node of @covirt/native-lxc is too old: run "npm run build:native"')
}
