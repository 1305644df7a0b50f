import type { CallOptions } from '@covirt/core'
import type { GuestPhase } from '@covirt/local'
import type { QmpChannel } from './qmp/qmp-channel.js'
import { isObject } from './qmp/qmp-message.js'

/** QEMU's run state (QEMU: qapi/run-state.json, `RunState`). */
export async function queryRunState(monitor: QmpChannel, options?: CallOptions): Promise<string> {
  const answer = await monitor.execute('query-status', {}, options)
  return isObject(answer) ? String(answer.status) : 'unknown'
}

/** What a run state means for the domain. */
export function phaseOf(runState: string): GuestPhase {
  switch (runState) {
    case 'running':
    case 'suspended':
      return 'running'
    // A guest that has panicked, or one that KVM cannot run on.
    case 'guest-panicked':
    case 'internal-error':
      return 'crashed'
    default:
      return 'paused'
  }
}
