import { type CallOptions, type Clock, isVirError, messageOf, throwIfAborted, VirError } from '@covirt/core'
import type { AdoptSpec } from '@covirt/local'
import { type DeviceKind, deviceKinds } from '@covirt/xml'
import { type GuestPlan, planGuest } from './command-line/guest-plan.js'
import { endGuest } from './end-guest.js'
import { findGuest } from './find-guest.js'
import { balloonKibOf, phaseOf, queryRunState } from './guest-status.js'
import { goneDevices } from './hotplug/gone-devices.js'
import { liveDocument } from './launch-guest.js'
import { connectMonitor } from './monitor-connection.js'
import type { QemuProcess } from './process/qemu-process.js'
import { fromQmp } from './qemu-errors.js'
import { QemuGuest } from './qemu-guest.js'
import type { QmpChannel } from './qmp/qmp-channel.js'
import { QmpClosedError } from './qmp/qmp-error.js'
import { isObject } from './qmp/qmp-message.js'
import { cancelMigration } from './saving/migration.js'
import { startAnew } from './start-anew.js'

/** Within this time a QEMU that runs already must greet; one that hangs is left alone. */
const greetingTimeoutMs = 5000
/** Within this time a QEMU ends that has closed its monitor. */
const endTimeoutMs = 1000

/**
 * Takes over the QEMU of a guest that an earlier process launched. One that was not launched to its end is
 * ended: nobody has noted it, and it waits for its first `cont` or does not talk yet. A noted one that does
 * not talk is left alone, with an `OPERATION_TIMEOUT`.
 */
export async function adoptGuest(spec: AdoptSpec, options: CallOptions): Promise<QemuGuest | undefined> {
  const { clock, logger, places, sink } = spec
  const { runDirectory } = places
  const changed = changedKinds(spec.record)
  const plan = planGuest(spec.document, (kind) => changed.includes(kind))
  const end = async () => {
    await endGuest(spec)
    return undefined
  }
  const [process] = await findGuest(spec)
  if (!process) return end()
  const place = { process, runDirectory, clock, isNew: false, timeoutMs: greetingTimeoutMs }
  const monitor = await connectMonitor(place, options).catch(async (error: unknown) => {
    throwIfAborted(options.signal)
    if (spec.record === undefined || (await hasEnded(process, error, clock))) return undefined
    throw unreachable(error)
  })
  if (!monitor) return end()
  try {
    const state = await queryRunState(monitor, options)
    if (neverRan.includes(state) && spec.record === undefined) {
      monitor.close()
      return await end()
    }
    // One that was being saved, to a process that is gone.
    if (stoppedToSave.includes(state)) await cancelMigration(monitor, clock)
    // Only a guest that is to be restarted stays when it goes down: whoever asked for that has died meanwhile,
    // and may have come as far as the reset.
    const restartAsked = spec.record?.restart === true
    const restarts = state === 'shutdown' || (state === 'prelaunch' && restartAsked)
    if (restarts) await startAnew(monitor, { paused: false }, options)
    return new QemuGuest({
      document: await liveDocument(plan, monitor, options),
      plan,
      process,
      monitor,
      runDirectory,
      phase: restarts ? 'running' : phaseOf(state),
      restartAsked: restartAsked && !restarts,
      changed,
      gone: await goneDevices(plan.domain, monitor, options),
      memoryKib: await balloonKibOf(plan, monitor, options),
      agentConnected: await isAgentConnected(plan, monitor, options),
      sink,
      clock,
      logger,
    })
  } catch (error) {
    monitor.close()
    if (!options.signal?.aborted && (await hasEnded(process, error, clock))) return end()
    throw fromQmp('The guest could not be taken over', error)
  }
}

/** In these run states is a QEMU that waits for its first `cont`: it may have been given a saved state. */
const neverRan: readonly string[] = ['prelaunch', 'inmigrate', 'paused']

/** In these run states may be a QEMU whose state is being written. */
const stoppedToSave: readonly string[] = ['paused', 'finish-migrate']

function changedKinds(record: AdoptSpec['record']): readonly DeviceKind[] {
  const noted = String(record?.changed ?? '').split(' ')
  return deviceKinds.filter((kind) => noted.includes(kind))
}

/** Whether a QEMU with which a conversation has failed was about to end, and has. */
async function hasEnded(process: QemuProcess, error: unknown, clock: Clock): Promise<boolean> {
  const timeoutMs = error instanceof QmpClosedError ? endTimeoutMs : 0
  return (await process.waitForEnd(clock, timeoutMs)) !== undefined
}

function unreachable(error: unknown): VirError {
  if (isVirError(error)) return error
  return new VirError('OPERATION_FAILED', `The guest was found, but not its monitor: ${messageOf(error)}`, {
    domain: 'QEMU',
    cause: error,
    hint: "'destroy' ends it",
  })
}

async function isAgentConnected(
  plan: GuestPlan,
  monitor: QmpChannel,
  options: CallOptions,
): Promise<boolean> {
  if (!plan.agent) return false
  const label = `char${plan.agent.alias}`
  const answer = await monitor.execute('query-chardev', {}, options)
  return (
    Array.isArray(answer) &&
    answer.some((each) => isObject(each) && each.label === label && each['frontend-open'] === true)
  )
}
