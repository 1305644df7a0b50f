import { randomUUID } from 'node:crypto'
import { type Clock, VirError } from '@covirt/core'
import { queryRunState } from '../guest-status.js'
import type { QmpChannel } from '../qmp/qmp-channel.js'
import { isObject, type JsonObject } from '../qmp/qmp-message.js'
import type { SnapshotDisk } from './qcow2-disks.js'

const pollMs = 5

/** With whom, and of what. */
export interface SnapshotJob {
  readonly monitor: QmpChannel
  readonly clock: Clock
  readonly tag: string
  readonly disks: readonly SnapshotDisk[]
}

/**
 * Saves or loads memory and disks as at one moment (QEMU: qapi/migration.json, `snapshot-save`, `snapshot-load`): the
 * memory lies on the first of the disks. Not to be cancelled, for QEMU itself cannot; what fails leaves nothing.
 */
export async function runMemoryJob(
  command: 'snapshot-save' | 'snapshot-load',
  { monitor, clock, tag, disks }: SnapshotJob,
): Promise<void> {
  const devices = disks.map(({ node }) => node)
  await runJob(command, { tag, vmstate: devices[0], devices }, { monitor, clock })
}

/** Saves the disks as at one moment, or removes what was saved of them, of a guest that runs. */
export async function changeDisks(
  command: 'blockdev-snapshot-internal-sync' | 'blockdev-snapshot-delete-internal-sync',
  { monitor, tag, disks }: Omit<SnapshotJob, 'clock'>,
): Promise<void> {
  if (command === 'blockdev-snapshot-delete-internal-sync') {
    for (const { node } of disks) await monitor.execute(command, { device: node, name: tag })
    return
  }
  const actions = disks.map(({ node }) => ({ type: command, data: { device: node, name: tag } }))
  await monitor.execute('transaction', { actions })
}

async function runJob(
  command: string,
  args: JsonObject,
  { monitor, clock }: Pick<SnapshotJob, 'monitor' | 'clock'>,
): Promise<void> {
  const id = `covirt-${randomUUID()}`
  const before = await queryRunState(monitor)
  await monitor.execute(command, { 'job-id': id, ...args })
  for (;;) {
    const answer = await monitor.execute('query-jobs')
    const jobs = Array.isArray(answer) ? answer.filter(isObject) : []
    const job = jobs.find((each) => each.id === id)
    if (!job || job.status === 'concluded') {
      if (job) await monitor.execute('job-dismiss', { id })
      if (job?.error === undefined) return
      // A load that has failed leaves the guest stopped.
      if (before === 'running') await monitor.execute('cont').catch(() => {})
      throw new VirError('OPERATION_FAILED', `QEMU's ${command} has failed: ${String(job.error)}`, {
        domain: 'QEMU',
      })
    }
    await clock.sleep(pollMs)
  }
}
