import { messageOf } from '@covirt/core'
import * as addon from '@covirt/native-lxc'

/** Who is at the other end of a unix socket. */
interface PeerCredentials {
  readonly pid: number
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
}

/** System calls that Node lacks. */
export interface SystemCalls {
  peerCredentials(socket: number): PeerCredentials
  sendDatagram(path: string, text: string): void
  sendDescriptor(socket: number, descriptor: number): boolean
}

/** The system calls of the native addon, or why there are none: it is not built, or from another version. */
export function findSystemCalls(): SystemCalls | { readonly reason: string } {
  try {
    addon.checkSocketCalls()
    return addon
  } catch (error) {
    return { reason: messageOf(error) }
  }
}
