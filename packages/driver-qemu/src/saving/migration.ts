import type { CallOptions, Clock } from '@covirt/core'
import { VirError } from '@covirt/core'
import type { QmpChannel } from '../qmp/qmp-channel.js'
import { isObject } from '../qmp/qmp-message.js'

/** QEMU ends a migration some milliseconds after its last byte. */
const pollMs = 3

/** How a migration stands (QEMU: qapi/migration.json, `MigrationStatus`). */
interface MigrationState {
  readonly status: string
  readonly problem: string
}

/** How QEMU's migration, in either direction, stands; status `none` where there is none. */
async function queryMigration(monitor: QmpChannel, options?: CallOptions): Promise<MigrationState> {
  const answer = await monitor.execute('query-migrate', {}, options)
  if (!isObject(answer)) return { status: 'none', problem: '' }
  return { status: String(answer.status ?? 'none'), problem: String(answer['error-desc'] ?? '') }
}

/** Waits until a migration has ended, and rejects where it has not been completed. */
export async function migrationCompleted(
  monitor: QmpChannel,
  { clock, signal }: { readonly clock: Clock } & CallOptions,
): Promise<void> {
  for (;;) {
    const { status, problem } = await queryMigration(monitor, { signal })
    if (status === 'completed') return
    if (hasEnded(status))
      throw new VirError('OPERATION_FAILED', `QEMU's migration has ended as '${status}' ${problem}`.trim(), {
        domain: 'QEMU',
      })
    await clock.sleep(pollMs, { signal })
  }
}

/** Ends a migration that is under way and waits until it has. */
export async function cancelMigration(monitor: QmpChannel, clock: Clock): Promise<void> {
  await monitor.execute('migrate_cancel')
  while (!hasEnded((await queryMigration(monitor)).status)) await clock.sleep(pollMs)
}

function hasEnded(status: string): boolean {
  return ['none', 'completed', 'failed', 'cancelled'].includes(status)
}
