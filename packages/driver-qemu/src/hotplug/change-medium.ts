import { type CallOptions, type Clock, type Logger, messageOf, VirError } from '@covirt/core'
import type { DiskXml } from '@covirt/xml'
import { diskArguments } from '../command-line/disks.js'
import type { GuestPlan } from '../command-line/guest-plan.js'
import type { QmpChannel } from '../qmp/qmp-channel.js'
import { QmpError } from '../qmp/qmp-error.js'
import type { JsonObject } from '../qmp/qmp-message.js'

/** How long a guest may keep its drive locked that was asked to open it. */
const openTimeoutMs = 5000
const pollMs = 50

/** Puts another medium into a CD drive, or takes it out. On rejection the drive has what it had. */
export async function changeMedium(
  old: DiskXml,
  changed: DiskXml,
  { machine }: GuestPlan,
  parts: { readonly monitor: QmpChannel; readonly clock: Clock; readonly logger: Logger } & CallOptions,
): Promise<void> {
  const { monitor, logger } = parts
  const id = String(old.alias)
  const nodes = (disk: DiskXml) => mediumNodes(diskArguments(disk, id, undefined, machine))
  const [before, after] = [nodes(old), nodes(changed)]
  await openTray(id, parts)
  try {
    for (const node of before.toReversed())
      await monitor.execute('blockdev-del', { 'node-name': node['node-name'] })
    await insert(monitor, id, after)
  } catch (error) {
    await insert(monitor, id, before).catch((cause: unknown) =>
      logger.warn('A medium could not be put back', { error: messageOf(cause) }),
    )
    throw error
  } finally {
    await monitor.execute('blockdev-close-tray', { id })
  }
}

async function insert(monitor: QmpChannel, id: string, nodes: readonly JsonObject[]): Promise<void> {
  const added: JsonObject[] = []
  try {
    for (const node of nodes) {
      await monitor.execute('blockdev-add', node)
      added.push(node)
    }
    const top = added.at(-1)
    if (top) await monitor.execute('blockdev-insert-medium', { id, 'node-name': top['node-name'] })
  } catch (error) {
    for (const node of added.toReversed())
      await monitor.execute('blockdev-del', { 'node-name': node['node-name'] }).catch(() => {})
    throw error
  }
}

/** A guest that has locked the drive is asked to let go of it. */
async function openTray(
  id: string,
  { monitor, clock, signal }: { readonly monitor: QmpChannel; readonly clock: Clock } & CallOptions,
): Promise<void> {
  await monitor.execute('blockdev-open-tray', { id })
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    try {
      await monitor.execute('blockdev-remove-medium', { id })
      return
    } catch (error) {
      if (!(error instanceof QmpError) || !/not open/.test(error.message)) throw error
      if (waitedMs >= openTimeoutMs)
        throw new VirError('OPERATION_TIMEOUT', `The guest keeps the drive '${id}' locked`, {
          domain: 'QEMU',
          hint: 'Have its system eject the medium first',
        })
      await clock.sleep(pollMs, { signal })
    }
  }
}

/** Of the arguments of a drive: the nodes that are its medium. */
function mediumNodes(args: readonly string[]): JsonObject[] {
  return args.flatMap((option, at) =>
    option === '-blockdev' ? [JSON.parse(args[at + 1] as string) as JsonObject] : [],
  )
}
