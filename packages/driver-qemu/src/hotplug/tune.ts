import type { CallOptions } from '@covirt/core'
import type { GuestLimits } from '@covirt/local'
import { hasBalloon } from '../command-line/small-devices.js'
import type { QmpChannel } from '../qmp/qmp-channel.js'
import { QmpError } from '../qmp/qmp-error.js'
import { isObject, type JsonObject } from '../qmp/qmp-message.js'
import { cannot } from './device-commands.js'
import type { LiveDevices } from './live-devices.js'

/** As `Guest.tune`: memory by the balloon, and processors that are plugged in. */
export async function tune(
  limits: GuestLimits,
  devices: LiveDevices,
  monitor: QmpChannel,
  options: CallOptions,
): Promise<void> {
  const { document } = devices
  const current = currentOf(document)
  const wanted = currentOf(limits)
  if (wanted.mostKib !== current.mostKib) throw cannot('How much memory a machine can have')
  if (wanted.mostVcpus !== current.mostVcpus) throw cannot('How many processors a machine can have')
  if (wanted.vcpus < current.vcpus)
    throw cannot('Processors are plugged in, but not out again: a smaller number of them')
  const setBalloon = (kib: number) => monitor.execute('balloon', { value: kib * 1024 }, options)
  const balloons = wanted.kib !== current.kib
  if (balloons) {
    if (!hasBalloon(document.devices.memballoon))
      throw cannot('The memory of a machine without a <memballoon>')
    await setBalloon(wanted.kib)
  }
  try {
    await plugProcessors(wanted.vcpus - current.vcpus, monitor, options)
  } catch (error) {
    if (balloons) await setBalloon(current.kib).catch(() => {})
    throw error
  }
  devices.showLimits({ currentMemoryKib: limits.currentMemoryKib, vcpu: limits.vcpu })
}

interface Current {
  readonly mostKib: number
  readonly kib: number
  readonly mostVcpus: number
  readonly vcpus: number
}

function currentOf({ memoryKib = 0n, currentMemoryKib = memoryKib, vcpu }: GuestLimits): Current {
  const mostVcpus = vcpu?.count ?? 1
  return {
    mostKib: Number(memoryKib),
    kib: Number(currentMemoryKib),
    mostVcpus,
    vcpus: vcpu?.current ?? mostVcpus,
  }
}

/** Plugs in the next processors, in the order in which they would be there from the start. */
async function plugProcessors(count: number, monitor: QmpChannel, options: CallOptions): Promise<void> {
  if (count <= 0) return
  const answer = await monitor.execute('query-hotpluggable-cpus', {}, options).catch((error: unknown) => {
    if (error instanceof QmpError) throw cannot('The number of processors of this machine')
    throw error
  })
  const places = (Array.isArray(answer) ? answer.filter(isObject) : [])
    .filter((place) => place['qom-path'] === undefined)
    .sort((a, b) => order(a) - order(b))
  if (places.length < count) throw cannot('More processors than the machine has places for')
  for (const { type, props } of places.slice(0, count)) {
    const where = isObject(props) ? props : {}
    const id = `vcpu-${Object.values(where).join('-')}`
    await monitor.execute('device_add', { driver: type, id, ...where })
  }
}

function order({ props }: JsonObject): number {
  const where = isObject(props) ? props : {}
  const [socket, die, core, thread] = ['socket-id', 'die-id', 'core-id', 'thread-id'].map((name) =>
    Number(where[name] ?? 0),
  ) as [number, number, number, number]
  return ((socket * 1024 + die) * 1024 + core) * 1024 + thread
}
