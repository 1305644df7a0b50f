import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { type CallOptions, isVirError, throwIfAborted, VirError } from '@covirt/core'
import { type LaunchSpec, UndoStack } from '@covirt/local'
import type { DomainXml } from '@covirt/xml'
import { plugIntoBridge } from './bridge-port.js'
import { type GuestPlan, planGuest } from './command-line/guest-plan.js'
import { refuseGuessedDisk } from './disk-image.js'
import { makeVariables } from './firmware-variables.js'
import { removeSockets } from './guest-sockets.js'
import { balloonKibOf } from './guest-status.js'
import { connectMonitor } from './monitor-connection.js'
import { QemuProcess } from './process/qemu-process.js'
import { fromEarlyEnd, fromQmp, fromSpawn } from './qemu-errors.js'
import { QemuGuest } from './qemu-guest.js'
import type { QmpChannel } from './qmp/qmp-channel.js'
import { isObject } from './qmp/qmp-message.js'
import { readState, type StateOwner } from './saving/state-stream.js'
import { snapshotDisks } from './snapshots/qcow2-disks.js'
import { runMemoryJob } from './snapshots/snapshot-job.js'
import { tagOf } from './snapshots/tag.js'

/** Within this time a QEMU must have made its machine, which on a loaded host takes a while. */
const greetingTimeoutMs = 60_000
/** Within this time a QEMU ends that cannot be given a state. */
const endTimeoutMs = 10_000

/** Starts a QEMU for a guest. On rejection nothing of it is left. */
export async function launchGuest(spec: LaunchSpec, options: CallOptions): Promise<QemuGuest> {
  const { clock, logger, places, sink } = spec
  const { runDirectory } = places
  const plan = planGuest(spec.document)
  const undo = new UndoStack(logger)
  try {
    await prepareHost(plan)
    if (plan.nvram) await makeVariables(plan.nvram, spec.domain.uuid, undo)
    throwIfAborted(options.signal)
    const process = await spawn(plan, spec)
    undo.push(() => removeSockets(runDirectory, plan))
    undo.push(() => process.kill(clock))
    const monitor = await connectMonitor(
      { process, runDirectory, clock, isNew: true, timeoutMs: greetingTimeoutMs },
      options,
    )
    undo.push(() => monitor.close())
    await prepareGuest(plan, monitor, options)
    if (spec.state) await restore(spec.state, { monitor, runDirectory, clock, process }, options)
    else if (spec.memory !== undefined) await loadMemory(spec.memory, plan, { monitor, clock })
    else await setBalloon(plan, monitor, options)
    const document = await liveDocument(plan, monitor, options)
    if (!spec.paused) await monitor.execute('cont', {}, options)
    throwIfAborted(options.signal)
    const memoryKib =
      spec.state || spec.memory !== undefined
        ? await balloonKibOf(plan, monitor, options)
        : (plan.balloonKib ?? plan.memoryKib)
    const phase = spec.paused ? 'paused' : 'running'
    const state = { phase, memoryKib, agentConnected: false, restartAsked: false } as const
    const devices = { changed: [], gone: [] } as const
    const parts = { document, plan, process, monitor, runDirectory, sink, clock, logger }
    return new QemuGuest({ ...parts, ...state, ...devices })
  } catch (error) {
    await undo.run()
    throw fromQmp('The guest could not be started', error)
  }
}

/** The plan's document with what is known only while the guest runs. */
export async function liveDocument(
  plan: GuestPlan,
  monitor: QmpChannel,
  options: CallOptions,
): Promise<DomainXml> {
  const { domain, vncIndex } = plan
  if (vncIndex === undefined) return domain
  const vnc = await monitor.execute('query-vnc', {}, options)
  const port = isObject(vnc) ? Number(vnc.service) : Number.NaN
  if (!Number.isInteger(port)) return domain
  const graphics = domain.devices.graphics.map((each, index) =>
    index === vncIndex && each.type === 'vnc' ? { ...each, port } : each,
  )
  return { ...domain, devices: { ...domain.devices, graphics } }
}

async function prepareHost({ machine, domain }: GuestPlan): Promise<void> {
  if (machine.kvm) await requireKvm()
  for (const disk of domain.devices.disks) await refuseGuessedDisk(disk)
}

async function requireKvm(): Promise<void> {
  try {
    await access('/dev/kvm', constants.R_OK | constants.W_OK)
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new VirError(
      'CONFIG_UNSUPPORTED',
      missing
        ? "<domain type='kvm'>: this host has no /dev/kvm"
        : "<domain type='kvm'>: /dev/kvm may not be opened",
      {
        domain: 'QEMU',
        cause: error,
        hint: missing
          ? "Load the kvm module and switch virtualization on in the firmware, or use <domain type='qemu'>"
          : "Join the group 'kvm', or use <domain type='qemu'>",
      },
    )
  }
}

async function spawn(plan: GuestPlan, { places, state }: LaunchSpec): Promise<QemuProcess> {
  const { program } = plan
  const args = state ? [...plan.args, '-incoming', 'defer'] : plan.args
  try {
    return await QemuProcess.spawn({ program, args, directory: places.runDirectory, logFile: places.logFile })
  } catch (error) {
    throw fromSpawn(program, error)
  }
}

/** What can be done only once QEMU is there, and must be before the guest runs. */
async function prepareGuest(plan: GuestPlan, monitor: QmpChannel, options: CallOptions): Promise<void> {
  const { taps, linksDown, vncPassword: password } = plan
  for (const tap of taps) await plugIntoBridge(tap, options)
  for (const name of linksDown) await monitor.execute('set_link', { name, up: false }, options)
  if (password !== undefined) await monitor.execute('set_password', { protocol: 'vnc', password }, options)
}

async function setBalloon(
  { balloonKib }: GuestPlan,
  monitor: QmpChannel,
  options: CallOptions,
): Promise<void> {
  if (balloonKib !== undefined) await monitor.execute('balloon', { value: balloonKib * 1024 }, options)
}

/** The guest goes on from a snapshot. */
async function loadMemory(
  snapshot: string,
  { domain }: GuestPlan,
  whose: Pick<StateOwner, 'monitor' | 'clock'>,
): Promise<void> {
  await runMemoryJob('snapshot-load', { ...whose, tag: tagOf(snapshot), disks: snapshotDisks(domain) })
}

/** A QEMU that cannot make use of a state says why, and ends. */
async function restore(
  state: AsyncIterable<Uint8Array>,
  { process, ...owner }: StateOwner & { readonly process: QemuProcess },
  options: CallOptions,
): Promise<void> {
  try {
    await readState(owner, state, options)
  } catch (error) {
    throwIfAborted(options.signal)
    if (isVirError(error)) throw error
    const end = await process.waitForEnd(owner.clock, endTimeoutMs)
    throw end ? fromEarlyEnd('QEMU cannot use the saved state', end, await process.lastWords()) : error
  }
}
