import type { Output } from '../codec/codec.js'
import { child, children, raw, record, string, textOnly } from '../codec/index.js'
import { characterDevice } from './character-device.js'
import { disk } from './disk.js'
import {
  controller,
  hostdev,
  input,
  memballoon,
  memoryDevice,
  panic,
  rng,
  sound,
  tpm,
  video,
  watchdog,
} from './emulated-devices.js'
import { filesystem } from './filesystem.js'
import { graphics } from './graphics.js'
import { networkInterface } from './interface.js'

/** `<devices>`: each kind is a list of its own; their places among each other are kept. */
export const devices = record({
  emulator: child('emulator', textOnly(string)),
  disks: children('disk', disk),
  controllers: children('controller', controller),
  leases: children('lease', raw),
  filesystems: children('filesystem', filesystem),
  interfaces: children('interface', networkInterface),
  smartcards: children('smartcard', raw),
  serials: children('serial', characterDevice),
  parallels: children('parallel', characterDevice),
  consoles: children('console', characterDevice),
  channels: children('channel', characterDevice),
  inputs: children('input', input),
  tpms: children('tpm', tpm),
  graphics: children('graphics', graphics),
  sounds: children('sound', sound),
  audios: children('audio', raw),
  videos: children('video', video),
  hostdevs: children('hostdev', hostdev),
  redirdevs: children('redirdev', raw),
  watchdogs: children('watchdog', watchdog),
  memballoon: child('memballoon', memballoon),
  rngs: children('rng', rng),
  panics: children('panic', panic),
  memories: children('memory', memoryDevice),
  iommu: child('iommu', raw),
  vsock: child('vsock', raw),
})

export type DevicesXml = Output<typeof devices>
