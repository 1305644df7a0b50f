import type { CallOptions } from '@covirt/core'
import type { QmpChannel } from './qmp/qmp-channel.js'

/** What QEMU does with a guest that goes down: ends, or stays in the run state `shutdown` until it is reset. */
export function onShutdown(
  monitor: QmpChannel,
  action: 'pause' | 'poweroff',
  options?: CallOptions,
): Promise<unknown> {
  return monitor.execute('set-action', { shutdown: action }, options)
}

/**
 * Starts a guest anew whose QEMU is in the run state `shutdown`; `paused` leaves it before its first instruction.
 * What each step leaves tells the next process how far it has come: before the reset the run state is still
 * `shutdown`, after it `prelaunch`.
 */
export async function startAnew(
  monitor: QmpChannel,
  { paused }: { readonly paused: boolean },
  options?: CallOptions,
): Promise<void> {
  await onShutdown(monitor, 'poweroff', options)
  await monitor.execute('system_reset', {}, options)
  if (!paused) await monitor.execute('cont', {}, options)
}
