import type { CallOptions } from '@covirt/core'
import type { GuestPhase } from '@covirt/local'
import type { GuestPlan } from './command-line/guest-plan.js'
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

/** What the guest has left by its balloon. */
export async function balloonKibOf(
  plan: Pick<GuestPlan, 'memoryKib'>,
  monitor: QmpChannel,
  options: CallOptions,
): Promise<number> {
  // Without a balloon the command is refused.
  const answer = await monitor.execute('query-balloon', {}, options).catch(() => undefined)
  return isObject(answer) ? Math.round(Number(answer.actual) / 1024) : plan.memoryKib
}
