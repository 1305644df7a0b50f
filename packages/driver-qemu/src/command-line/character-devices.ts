import type { CharacterDeviceXml, DomainXml } from '@covirt/xml'
import { maxSocketPath } from '../process/unix-socket.js'
import { absolute, device, keyval, malformed, unsupported } from './arguments.js'
import { virtioSerialId } from './controllers.js'

/** The name of the virtio port that the guest agent listens on. */
const agentPort = 'org.qemu.guest_agent.0'

/** A character device that can be talked with: through a unix socket, by name in the run directory or by path. */
export interface Line {
  readonly alias: string
  readonly socket: string
  /** The file that QEMU logs it to, where the definition asks for that. */
  readonly log?: string | undefined
}

/** What the character devices of a domain are. */
export interface CharacterDevices {
  readonly args: readonly string[]
  readonly consoles: readonly Line[]
  readonly agent: Line | undefined
}

/** `<serial>`, `<console>` and `<channel>`, whose aliases have been given. */
export function characterDevices({ devices }: DomainXml): CharacterDevices {
  const serials = serialPorts(devices)
  const virtioConsoles = devices.consoles.filter(({ target }) => target?.type === 'virtio')
  for (const { target } of devices.consoles) {
    const type = target?.type ?? 'serial'
    if (type !== 'serial' && type !== 'virtio') throw unsupported(`<console><target type='${type}'>`)
  }
  const { channels } = devices
  const openable = [...serials, ...virtioConsoles].flatMap((line) => lineOf(line))
  return {
    args: [
      ...serials.flatMap((serial, index) => [...backend(serial), ...serialDevice(serial, index)]),
      ...virtioConsoles.flatMap((line) => [
        ...backend(line),
        ...device('virtconsole', aliasOf(line), {
          chardev: `char${aliasOf(line)}`,
          bus: `${virtioSerialId}.0`,
        }),
      ]),
      ...channels.flatMap((channel) => [...backend(channel), ...channelDevice(channel)]),
    ],
    consoles: openable,
    agent: channels.filter(({ target }) => target?.name === agentPort).flatMap((line) => lineOf(line))[0],
  }
}

/** The serial ports: in libvirt's documents the first `<console>` is one too, unless there are `<serial>`s. */
function serialPorts(devices: DomainXml['devices']): readonly CharacterDeviceXml[] {
  if (devices.serials.length > 0) return devices.serials
  return devices.consoles.filter(({ target }) => (target?.type ?? 'serial') === 'serial').slice(0, 1)
}

function serialDevice(serial: CharacterDeviceXml, position: number): string[] {
  const { type, port, model } = serial.target ?? {}
  if (type !== undefined && type !== 'isa-serial' && type !== 'serial')
    throw unsupported(`<serial><target type='${type}'>`)
  if (model !== undefined && model !== 'isa-serial')
    throw unsupported(`<serial><target><model name='${model}'>`)
  const index = port ?? position
  if (index > 3) throw unsupported(`<serial><target port='${index}'>: there are four`)
  return device('isa-serial', aliasOf(serial), { chardev: `char${aliasOf(serial)}`, index })
}

function channelDevice(channel: CharacterDeviceXml): string[] {
  const { type, name } = channel.target ?? {}
  if (type !== 'virtio') throw unsupported(`<channel><target type='${type ?? ''}'>`, "Known is type='virtio'")
  if (name === undefined) throw malformed("<channel><target type='virtio'>: its name is missing")
  const port = channel.address?.type === 'virtio-serial' ? channel.address.port : undefined
  return device('virtserialport', aliasOf(channel), {
    bus: `${virtioSerialId}.0`,
    nr: port === undefined || port === 0 ? undefined : port,
    chardev: `char${aliasOf(channel)}`,
    name,
  })
}

/** Pseudo terminals are sockets here: they are as good to talk with, and keep no descriptor of ours. */
function backend(line: CharacterDeviceXml): string[] {
  const id = `char${aliasOf(line)}`
  if (line.protocol !== undefined && line.protocol !== 'raw')
    throw unsupported(`<protocol type='${line.protocol}'>`)
  const log = line.log?.file === undefined ? undefined : absolute(line.log.file, '<log file>')
  const logging = { logfile: log, logappend: log === undefined ? undefined : line.log?.append }
  switch (line.type) {
    case 'pty':
    case 'unix':
      return keyval('-chardev', 'socket', { id, path: socketOf(line), server: true, wait: false, ...logging })
    case 'file': {
      const path = line.source?.path
      if (path === undefined) throw malformed("A character device of type 'file' has no <source path=…>")
      const append = line.source?.append
      return keyval('-chardev', 'file', { id, path: absolute(path, '<source path>'), append, ...logging })
    }
    case 'null':
      return keyval('-chardev', 'null', { id, ...logging })
    default:
      throw unsupported(`character devices of type '${line.type}'`, 'Known are pty, unix, file and null')
  }
}

function lineOf(line: CharacterDeviceXml): Line[] {
  if (line.type !== 'pty' && line.type !== 'unix') return []
  return [{ alias: aliasOf(line), socket: socketOf(line), log: line.log?.file }]
}

function socketOf(line: CharacterDeviceXml): string {
  const given = line.type === 'unix' ? line.source?.path : undefined
  if (given === undefined) return `${aliasOf(line)}.sock`
  if (line.type === 'unix' && line.source?.mode === 'connect')
    throw unsupported("<source mode='connect'>", "Use mode='bind'")
  if (Buffer.byteLength(given) > maxSocketPath)
    throw malformed(`<source path='${given}'> is too long for a socket`, `At most ${maxSocketPath} bytes`)
  return absolute(given, '<source path>')
}

function aliasOf(line: CharacterDeviceXml): string {
  return line.alias as string
}
