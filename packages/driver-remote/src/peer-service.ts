import type { CallOptions } from '@covirt/core'
import { decodeRoleValue, encodeRoleValue, procedures } from '@covirt/protocol'
import type { PeerCalls } from './peer-calls.js'

/** How a method of a service is called. */
export interface PeerServiceOptions extends CallOptions {
  /** Told what the peer says of how far it is. It must not throw. */
  readonly onProgress?: ((value: unknown) => void) | undefined
}

/** What a covirt server offers besides its driver. */
export interface PeerService {
  /**
   * Calls a method with plain values, and resolves to one. It may take any time, whatever time-out calls have. Where it
   * is cancelled, the peer's answer is waited for: it undoes what it can.
   */
  call(method: string, args: readonly unknown[], options?: PeerServiceOptions): Promise<unknown>
}

/** The service of this name, whether or not the peer has it. */
export function peerService(calls: PeerCalls, service: string): PeerService {
  return {
    call: async (method, args, { signal, onProgress } = {}) => {
      const text = encodeRoleValue(args) ?? ''
      const { result } = await calls.callLong(
        procedures.covirtCallService,
        { service, method, args: text },
        { signal, onProgress: onProgress && ((value) => onProgress(decodeRoleValue(value))) },
      )
      return decodeRoleValue(result)
    },
  }
}
