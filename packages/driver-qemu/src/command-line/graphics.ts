import { isIP } from 'node:net'
import type { DomainXml, GraphicsXml, VideoXml } from '@covirt/xml'
import { maxSocketPath } from '../process/unix-socket.js'
import { absolute, device, keyval, malformed, unsupported } from './arguments.js'
import { type Machine, needsPci } from './machine.js'
import { pciPlacement } from './pci-address.js'

/** VNC's display 0. */
const firstPort = 5900
/** With `autoport`, how many displays are tried. */
const displays = 99

/** How the guest's screen is shown. */
export interface Graphics {
  readonly args: readonly string[]
  /** To be set before the guest runs. */
  readonly password: string | undefined
  /** Which element of the list listens on a TCP port. */
  readonly vncIndex: number | undefined
}

/** `-display` and `-vnc`. */
export function graphicsArguments({ devices }: DomainXml): Graphics {
  const graphics = devices.graphics ?? []
  const vnc = graphics[0]
  const head = ['-display', 'none']
  if (!vnc) return { args: head, password: undefined, vncIndex: undefined }
  if (graphics.length > 1) throw unsupported('more than one <graphics>')
  if (vnc.type !== 'vnc') throw unsupported(`<graphics type='${vnc.type}'>`, "Known is type='vnc'")
  if (vnc.websocket !== undefined) throw unsupported('<graphics websocket=…>')
  const socket = vnc.socket ?? socketListen(vnc)
  const options = {
    password: vnc.passwd === undefined ? undefined : true,
    share: vnc.sharePolicy,
    'power-control': vnc.powerControl,
  }
  const keymap = vnc.keymap === undefined ? [] : ['-k', keymapName(vnc.keymap)]
  const address =
    socket === undefined ? tcpAddress(vnc) : { head: `unix:${socketPath(socket)}`, to: undefined }
  return {
    args: [...head, ...keyval('-vnc', address.head, { to: address.to, ...options }), ...keymap],
    password: vnc.passwd,
    vncIndex: socket === undefined ? 0 : undefined,
  }
}

type VncXml = Extract<GraphicsXml, { type: 'vnc' }>

function tcpAddress(vnc: VncXml): { readonly head: string; readonly to: number | undefined } {
  const [first] = vnc.listens
  if (first !== undefined && first.type !== 'address')
    throw unsupported(`<graphics><listen type='${first.type}'>`)
  const listen = first?.address ?? vnc.listen ?? '127.0.0.1'
  if (isIP(listen) === 0) throw malformed(`<graphics listen='${listen}'> is not an IP address`)
  const host = isIP(listen) === 6 ? `[${listen}]` : listen
  const { port = -1 } = vnc
  if (vnc.autoport === true || port === -1) return { head: `${host}:0`, to: displays }
  if (port < firstPort) throw unsupported(`<graphics port='${port}'>: VNC ports begin at ${firstPort}`)
  return { head: `${host}:${port - firstPort}`, to: undefined }
}

function socketListen({ listens }: VncXml): string | undefined {
  const [first] = listens
  if (first?.type !== 'socket') return undefined
  return first.socket ?? 'vnc.sock'
}

function socketPath(socket: string): string {
  if (socket === 'vnc.sock') return socket
  if (Buffer.byteLength(socket) > maxSocketPath)
    throw malformed(`<graphics socket='${socket}'> is too long`, `At most ${maxSocketPath} bytes`)
  return absolute(socket, '<graphics socket>')
}

function keymapName(keymap: string): string {
  if (/^[a-z-]{2,20}$/i.test(keymap)) return keymap
  throw malformed(`<graphics keymap='${keymap}'> is not a keymap`)
}

const videoDrivers: Readonly<
  Record<string, { readonly first: string; readonly further: string | undefined }>
> = {
  vga: { first: 'VGA', further: 'secondary-vga' },
  cirrus: { first: 'cirrus-vga', further: undefined },
  virtio: { first: 'virtio-vga', further: 'virtio-gpu-pci' },
  bochs: { first: 'bochs-display', further: 'bochs-display' },
}

/** `-device` of one video card; `position` is its place in the list. */
export function videoArguments(video: VideoXml, alias: string, position: number, machine: Machine): string[] {
  const type = video.model?.type ?? 'vga'
  if (type === 'none') return []
  needsPci(machine, `<video><model type='${type}'>`)
  const driver = videoDrivers[type]?.[position === 0 ? 'first' : 'further']
  if (!driver) throw unsupported(`<video><model type='${type}'>${position === 0 ? '' : ' as a further one'}`)
  if (video.model?.acceleration?.accel3d) throw unsupported("<video><model><acceleration accel3d='yes'>")
  if (type !== 'virtio' && (video.model?.heads ?? 1) > 1)
    throw unsupported(`<video><model type='${type}' heads=…>`)
  const vramKib = video.model?.vramKib
  return device(driver, alias, {
    // The hardware takes powers of two only.
    vgamem_mb:
      type === 'vga' && vramKib !== undefined
        ? 2 ** Math.ceil(Math.log2(Math.max(1, vramKib / 1024)))
        : undefined,
    max_outputs: type === 'virtio' ? video.model?.heads : undefined,
    xres: video.model?.resolution?.x,
    yres: video.model?.resolution?.y,
    ...pciPlacement(video.address, machine),
  })
}
