import type { DomainXml } from '@covirt/xml'
import type { ControlGroups } from '../host/control-groups.js'
import type { HostFacts } from '../host/host-facts.js'
import type { InitSignals } from '../host/init-kind.js'
import { type ConfigLine, formatConfig } from './config-lines.js'
import { containerOptions } from './container-options.js'
import { initLines } from './init.js'
import { limitLines } from './limits.js'
import { mountLines } from './mounts.js'
import { networkLines } from './network.js'
import { securityLines } from './security.js'

/** What a container's configuration depends on besides its definition. */
export interface ConfigContext {
  readonly host: HostFacts
  /** By what its init is told to go down and to restart, for tools of liblxc's own. */
  readonly signals: InitSignals
  /** What its control groups are to be called. */
  readonly groups: ControlGroups
  /** Where the console's output goes. */
  readonly consoleLog: string
  /** `MAJOR:MINOR` of the devices that it names, by their paths. */
  readonly devices: ReadonlyMap<string, string>
  /** Where its filter of system calls is. */
  readonly seccompFile: string
}

/** How much of the console's output is kept, and as much again in a second file: a power of two, as liblxc wants it. */
export const consoleLogBytes = 1024 * 1024

/**
 * The liblxc configuration (lxc.container.conf(5)) of a prepared definition. Depends on its arguments alone.
 * `CONFIG_UNSUPPORTED` for values that liblxc or this host cannot take.
 */
export function toLiblxcConfig(document: DomainXml, context: ConfigContext): string {
  const { host, signals, groups, consoleLog, devices, seccompFile } = context
  return formatConfig([
    ...hostNameLines(document),
    ...mountLines(document),
    ...initLines(document),
    ...signalLines(signals),
    ...networkLines(document),
    ...groupLines(groups),
    ...limitLines(document, host, devices),
    ...securityLines(document, { host, seccompFile }),
    ...terminalLines(consoleLog),
    ...timeLines(document),
    ...containerOptions(document).options,
  ])
}

export function hostNameLines({ name, os }: DomainXml): ConfigLine[] {
  const arch = os.type?.arch
  return [['lxc.uts.name', hostName(name)], ...(arch === undefined ? [] : [['lxc.arch', arch] as const])]
}

/** A host name holds letters, digits, dashes and dots (hostname(7)). */
function hostName(name: string): string {
  const cleaned = name.replace(/[^A-Za-z0-9.-]/g, '-').slice(0, 63)
  return cleaned.replace(/^[-.]+|[-.]+$/g, '') || 'container'
}

/** The clocks that a container has of its own. */
export function timeLines(document: DomainXml): ConfigLine[] {
  const { boot = 0, monotonic = 0 } = containerOptions(document).clockOffsets
  return [
    ...(boot === 0 ? [] : [['lxc.time.offset.boot', `${boot}s`] as const]),
    ...(monotonic === 0 ? [] : [['lxc.time.offset.monotonic', `${monotonic}s`] as const]),
  ]
}

function signalLines({ halt, reboot }: InitSignals): ConfigLine[] {
  return [
    ['lxc.signal.halt', halt],
    ['lxc.signal.reboot', reboot],
  ]
}

function groupLines({ payload, monitor }: ControlGroups): ConfigLine[] {
  return [
    ['lxc.cgroup.dir.container', payload],
    ['lxc.cgroup.dir.monitor', monitor],
  ]
}

function terminalLines(consoleLog: string): ConfigLine[] {
  return [
    ['lxc.tty.dir', 'lxc'],
    ['lxc.tty.max', '4'],
    ['lxc.pty.max', '1024'],
    ['lxc.console.buffer.size', 'auto'],
    ['lxc.console.logfile', consoleLog],
    ['lxc.console.size', `${consoleLogBytes / 1024}KB`],
    ['lxc.console.rotate', '1'],
  ]
}
