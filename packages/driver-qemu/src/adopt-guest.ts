import { type CallOptions, throwIfAborted } from '@covirt/core'
import type { AdoptSpec } from '@covirt/local'
import { type GuestPlan, planGuest } from './command-line/guest-plan.js'
import { removeSockets } from './guest-sockets.js'
import { phaseOf, queryRunState } from './guest-status.js'
import { liveDocument } from './launch-guest.js'
import { connectMonitor } from './monitor-connection.js'
import { findProcesses, type ProcessIdentity } from './process/process-identity.js'
import { QemuProcess } from './process/qemu-process.js'
import { fromQmp } from './qemu-errors.js'
import { QemuGuest } from './qemu-guest.js'
import type { QmpChannel } from './qmp/qmp-channel.js'
import { isObject } from './qmp/qmp-message.js'
import { startAnew } from './start-anew.js'

/** Within this time a QEMU that runs already must greet; one that hangs is left alone. */
const GREETING_TIMEOUT_MS = 5000

/**
 * Takes over the QEMU of a guest that an earlier process launched. One that was not launched to its end is
 * ended: nobody has noted it, and it waits for its first `cont` or does not talk yet. A noted one that does
 * not talk is left alone, with an `OPERATION_TIMEOUT`.
 */
export async function adoptGuest(spec: AdoptSpec, options: CallOptions): Promise<QemuGuest | undefined> {
  const { clock, logger, places, sink } = spec
  const { runDirectory } = places
  const plan = planGuest(spec.document)
  const process = await findProcess(spec)
  if (!process) {
    await removeSockets(runDirectory, plan)
    return undefined
  }
  const end = async () => {
    await process.kill(clock)
    await removeSockets(runDirectory, plan)
    return undefined
  }
  const place = { process, runDirectory, clock, isNew: false, timeoutMs: GREETING_TIMEOUT_MS }
  const monitor = await connectMonitor(place, options).catch((error: unknown) => {
    if (spec.record !== undefined) throw fromQmp('The guest was found, but not its monitor', error)
    throwIfAborted(options.signal)
    return undefined
  })
  if (!monitor) return end()
  try {
    const state = await queryRunState(monitor, options)
    if (state === 'prelaunch' && spec.record === undefined) {
      monitor.close()
      return await end()
    }
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
      memoryKib: await balloonKib(plan, monitor, options),
      agentConnected: await isAgentConnected(plan, monitor, options),
      sink,
      clock,
      logger,
    })
  } catch (error) {
    monitor.close()
    throw error
  }
}

async function findProcess({ record, places, domain }: AdoptSpec): Promise<QemuProcess | undefined> {
  const identities = record ? [identityIn(record)] : await findProcesses(places.runDirectory, domain.uuid)
  for (const identity of identities) {
    const process = identity && (await QemuProcess.adopt(identity, domain.uuid, places.logFile))
    if (process) return process
  }
  return undefined
}

function identityIn({ pid, startTime }: NonNullable<AdoptSpec['record']>): ProcessIdentity | undefined {
  if (typeof pid !== 'number' || typeof startTime !== 'string') return undefined
  return { pid, startTime }
}

async function balloonKib(plan: GuestPlan, monitor: QmpChannel, options: CallOptions): Promise<number> {
  // Without a balloon the command is refused.
  const answer = await monitor.execute('query-balloon', {}, options).catch(() => undefined)
  return isObject(answer) ? Math.round(Number(answer.actual) / 1024) : plan.memoryKib
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
