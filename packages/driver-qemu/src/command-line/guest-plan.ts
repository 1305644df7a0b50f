import type { DomainXml } from '@covirt/xml'
import type { FirmwareVariables } from '../firmware-variables.js'
import { type KeptAliases, withAliases } from './aliases.js'
import { keyval } from './arguments.js'
import { bootArguments, bootIndexes } from './boot.js'
import { characterDevices, type Line } from './character-devices.js'
import { clockArguments } from './clock.js'
import { controllerArguments } from './controllers.js'
import { diskArguments } from './disks.js'
import { filesystemArguments } from './filesystems.js'
import { graphicsArguments, videoArguments } from './graphics.js'
import { interfaceArguments, type Tap } from './interfaces.js'
import { type Machine, machineArguments, machineOf } from './machine.js'
import { memoryArguments, memoryKibOf } from './memory.js'
import { processorArguments } from './processors.js'
import { refuseUnsupported } from './refused.js'
import {
  balloonArguments,
  firmwareDevices,
  hasBalloon,
  inputArguments,
  panicArguments,
  rngArguments,
  watchdogArguments,
} from './small-devices.js'

/** The name of QEMU's own control socket in the run directory. */
export const monitorSocket = 'monitor.sock'

/** All that follows from a definition alone: what QEMU is called with, and what is to be done around it. */
export interface GuestPlan {
  /** The program: the definition's `<emulator>`, or a name to be looked for in the PATH. */
  readonly program: string
  /** Sockets in them are relative to the run directory, in which QEMU is to work. */
  readonly args: readonly string[]
  /** The definition with the aliases of its devices. */
  readonly domain: DomainXml
  readonly machine: Machine
  readonly consoles: readonly Line[]
  readonly agent: Line | undefined
  readonly taps: readonly Tap[]
  /** NICs whose cable is not plugged in. */
  readonly linksDown: readonly string[]
  readonly vncPassword: string | undefined
  /** Which of the `<graphics>` listens on a TCP port. */
  readonly vncIndex: number | undefined
  readonly nvram: FirmwareVariables | undefined
  readonly memoryKib: number
  /** To what the balloon is to be set before the guest runs. */
  readonly balloonKib: number | undefined
}

/**
 * What a definition means for QEMU. Pure: it looks at nothing but the definition. `CONFIG_UNSUPPORTED` for what
 * cannot be done, `XML_ERROR` for what makes no sense. `kept`: see {@link withAliases}.
 */
export function planGuest(definition: DomainXml, kept?: KeptAliases): GuestPlan {
  refuseUnsupported(definition)
  const machine = machineOf(definition)
  const domain = withAliases(definition, machine, kept)
  const { devices } = domain
  const boot = bootArguments(domain)
  const order = bootIndexes(domain)
  const lines = characterDevices(domain)
  const graphics = graphicsArguments(domain)
  const aliasOf = ({ alias }: { readonly alias?: string | undefined }) => alias as string
  const nics = (devices.interfaces ?? []).map((nic, index) =>
    interfaceArguments(nic, aliasOf(nic), order.interfaces[index], tapName(domain, index), machine),
  )
  const memoryKib = Number(memoryKibOf(domain))
  const currentKib = Number(domain.currentMemoryKib ?? memoryKib)
  const args = [
    ...keyval('-name', undefined, { guest: domain.name, 'debug-threads': true }),
    ...hardening,
    ...machineArguments(domain, machine, boot.flash),
    ...processorArguments(domain, machine),
    ...memoryArguments(domain),
    ...(domain.uuid === undefined ? [] : ['-uuid', domain.uuid]),
    ...clockArguments(domain, machine),
    ...boot.args,
    ...keyval('-chardev', 'socket', { id: 'monitor', path: monitorSocket, server: true, wait: false }),
    ...keyval('-mon', undefined, { chardev: 'monitor', mode: 'control' }),
    ...controllerArguments(domain, machine),
    ...devices.disks.flatMap((disk, index) =>
      diskArguments(disk, aliasOf(disk), order.disks[index], machine),
    ),
    ...devices.filesystems.flatMap((filesystem) =>
      filesystemArguments(filesystem, aliasOf(filesystem), { domain, machine }),
    ),
    ...nics.flatMap(({ args: nicArgs }) => nicArgs),
    ...lines.args,
    ...devices.inputs.flatMap((input) => inputArguments(input, aliasOf(input), machine)),
    ...graphics.args,
    ...devices.videos.flatMap((video, index) => videoArguments(video, aliasOf(video), index, machine)),
    ...devices.watchdogs.flatMap((watchdog) => watchdogArguments(watchdog, aliasOf(watchdog), machine)),
    ...balloonArguments(devices.memballoon, 'balloon0', machine),
    ...devices.rngs.flatMap((rng) => rngArguments(rng, aliasOf(rng), machine)),
    ...devices.panics.flatMap((panic) => panicArguments(panic, aliasOf(panic), machine)),
    ...firmwareDevices(domain, machine),
  ]
  return {
    program: devices.emulator ?? (machine.arch === 'i686' ? 'qemu-system-i386' : 'qemu-system-x86_64'),
    args,
    domain,
    machine,
    consoles: lines.consoles,
    agent: lines.agent,
    taps: nics.flatMap(({ tap }) => tap ?? []),
    linksDown: nics.flatMap(({ isDown, alias }) => (isDown ? alias : [])),
    vncPassword: graphics.password,
    vncIndex: graphics.vncIndex,
    nvram: boot.nvram,
    memoryKib,
    balloonKib: hasBalloon(devices.memballoon) && currentKib < memoryKib ? currentKib : undefined,
  }
}

/**
 * Paused at start, so that all is in place before the guest runs; nothing but what is asked for; no way to
 * other programs; a panic leaves the guest as it is, for us to decide.
 */
const hardening = [
  '-S',
  '-nodefaults',
  '-no-user-config',
  ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
  ...['-msg', 'timestamp=on'],
  ...['-action', 'panic=pause'],
]

/** The name of a link that the definition gives none. At most 15 bytes, and another one for each NIC of each domain. */
export function tapName({ uuid = '' }: DomainXml, index: number): string {
  return `cv${uuid.replaceAll('-', '').slice(0, 10)}${index}`
}
