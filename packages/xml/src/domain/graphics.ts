import type { Output } from '../codec/codec.js'
import { attr, attrOnly, child, children, oneOf, port, record, string, union, yesNo } from '../codec/index.js'

const listen = union(
  'address',
  {},
  {
    address: { address: attr('address', string) },
    network: { network: attr('network', string), address: attr('address', string) },
    socket: { socket: attr('socket', string) },
    none: {},
  },
)

const password = {
  passwd: attr('passwd', string),
  passwdValidTo: attr('passwdValidTo', string),
  connected: attr('connected', oneOf('fail', 'disconnect', 'keep')),
} as const

const keymap = attr('keymap', string)
const autoport = attr('autoport', yesNo)
const gl = child('gl', record({ enable: attr('enable', yesNo), renderNode: attr('rendernode', string) }))

const common = {
  /** The address of the first `<listen>`, given twice by libvirt for old readers. */
  listen: attr('listen', string),
  listens: children('listen', listen),
} as const

/** `<graphics>` by its `type`. */
export const graphics = union('vnc', common, {
  vnc: {
    /** -1 or absent with `autoport`: one is chosen at start. */
    port: attr('port', port),
    autoport,
    websocket: attr('websocket', port),
    keymap,
    sharePolicy: attr('sharePolicy', oneOf('allow-exclusive', 'force-shared', 'ignore')),
    socket: attr('socket', string),
    powerControl: attr('powerControl', yesNo),
    ...password,
  },
  spice: {
    port: attr('port', port),
    tlsPort: attr('tlsPort', port),
    autoport,
    keymap,
    defaultMode: attr('defaultMode', oneOf('any', 'secure', 'insecure')),
    ...password,
    channels: children('channel', record({ name: attr('name', string), mode: attr('mode', string) })),
    image: child('image', attrOnly('compression', string)),
    clipboardCopyPaste: child('clipboard', attrOnly('copypaste', yesNo)),
    gl,
  },
  sdl: {
    display: attr('display', string),
    xauth: attr('xauth', string),
    fullscreen: attr('fullscreen', yesNo),
    gl,
  },
  rdp: { port: attr('port', port), autoport, multiUser: attr('multiUser', yesNo) },
  desktop: { display: attr('display', string), fullscreen: attr('fullscreen', yesNo) },
  'egl-headless': { gl },
  dbus: { p2p: attr('p2p', yesNo), address: attr('address', string), gl },
})

export type GraphicsXml = Output<typeof graphics>
