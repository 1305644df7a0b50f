import { VirError } from '@covirt/core'
import type { DiskXml, DomainDevice, InterfaceXml, RngXml } from '@covirt/xml'
import { busOf, diskArguments } from '../command-line/disks.js'
import { type GuestPlan, tapName } from '../command-line/guest-plan.js'
import { interfaceArguments, type Tap } from '../command-line/interfaces.js'
import { rngArguments } from '../command-line/small-devices.js'
import { isObject, type JsonObject } from '../qmp/qmp-message.js'

/** A command of QEMU, with the one that takes it back; a device is taken back by waiting for its guest. */
interface PlugCommand {
  readonly name: string
  readonly args: JsonObject
  readonly undo: { readonly name: string; readonly args: JsonObject } | undefined
}

/** What it takes to give a guest one more device. */
export interface DevicePlan {
  /** In the order in which they are given; the last one is that of the device itself. */
  readonly commands: readonly PlugCommand[]
  /** A link to be put into a bridge before the guest sees the device. */
  readonly tap: Tap | undefined
  readonly isLinkDown: boolean
}

/** How a guest of this plan is given `device`, which has its alias. `OPERATION_UNSUPPORTED` where it cannot be. */
export function planDevice({ kind, device }: DomainDevice, { machine, domain }: GuestPlan): DevicePlan {
  const alias = 'alias' in device ? String(device.alias) : ''
  if (machine.kind === 'microvm')
    throw cannot("The machine 'microvm' has no bus that devices are plugged into")
  switch (kind) {
    case 'disks': {
      const disk = device as DiskXml
      const bus = busOf(disk, machine)
      if (bus !== 'virtio') throw cannot(`A disk on the bus '${bus}'`, "Use <target bus='virtio'>")
      return { commands: commandsOf(diskArguments(disk, alias, undefined, machine)), ...noLink }
    }
    case 'interfaces': {
      const name = tapName(domain, domain.devices.interfaces.length)
      const { args, tap, isDown } = interfaceArguments(
        device as InterfaceXml,
        alias,
        undefined,
        name,
        machine,
      )
      return { commands: commandsOf(args), tap, isLinkDown: isDown }
    }
    case 'rngs':
      return { commands: commandsOf(rngArguments(device as RngXml, alias, machine)), ...noLink }
    default:
      throw cannot('A device of this kind')
  }
}

/** What QEMU is told once a guest has let go of a device, so that nothing of it is left. */
export function afterwards({
  commands,
}: DevicePlan): readonly { readonly name: string; readonly args: JsonObject }[] {
  return commands.flatMap(({ undo }) => undo ?? []).toReversed()
}

/** The error for what a definition may have and a guest cannot be given, or lose, while it runs. */
export function cannot(
  what: string,
  hint = 'Change the definition alone (--config): the next start uses it',
): VirError {
  return new VirError('OPERATION_UNSUPPORTED', `${what} cannot be changed while the guest runs`, {
    domain: 'QEMU',
    hint,
  })
}

const noLink = { tap: undefined, isLinkDown: false } as const

/** Options of the command line that are JSON are the arguments of commands. */
function commandsOf(args: readonly string[]): PlugCommand[] {
  const commands: PlugCommand[] = []
  for (let at = 0; at + 1 < args.length; at += 2) {
    const value: unknown = JSON.parse(args[at + 1] as string)
    if (isObject(value)) commands.push(commandOf(args[at] as string, value))
  }
  return commands
}

function commandOf(option: string, args: JsonObject): PlugCommand {
  switch (option) {
    case '-blockdev':
      return {
        name: 'blockdev-add',
        args,
        undo: { name: 'blockdev-del', args: { 'node-name': args['node-name'] } },
      }
    case '-netdev':
      return { name: 'netdev_add', args, undo: { name: 'netdev_del', args: { id: args.id } } }
    case '-object':
      return { name: 'object-add', args, undo: { name: 'object-del', args: { id: args.id } } }
    case '-device':
      return { name: 'device_add', args, undo: undefined }
    default:
      throw new TypeError(`There is no command for '${option}'`)
  }
}
