import type { CallOptions } from '@covirt/core'
import type { DomainXml } from '@covirt/xml'
import type { QmpChannel } from '../qmp/qmp-channel.js'
import { isObject } from '../qmp/qmp-message.js'
import { aliasOf } from './new-device.js'

/** The aliases of those devices of `document`, which has them, that a guest has let go of already. */
export async function goneDevices(
  { devices }: DomainXml,
  monitor: QmpChannel,
  options: CallOptions,
): Promise<readonly string[]> {
  // Where QEMU has all devices that were given ids, from the command line or later.
  const answer = await monitor.execute('qom-list', { path: '/machine/peripheral' }, options)
  const there = new Set(Array.isArray(answer) ? answer.filter(isObject).map(({ name }) => name) : [])
  const plugged = [...devices.disks, ...devices.interfaces, ...devices.rngs]
  return plugged.map(aliasOf).filter((alias) => !there.has(alias))
}
