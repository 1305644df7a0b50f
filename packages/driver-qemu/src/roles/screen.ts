import { randomUUID } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname, isAbsolute, join } from 'node:path'
import { type Duplex, Readable } from 'node:stream'
import {
  type CallOptions,
  type GraphicsOptions,
  type Screenshot,
  type ScreenshotOptions,
  VirError,
} from '@covirt/core'
import type { DomainXml } from '@covirt/xml'
import { connectUnix } from '../process/unix-socket.js'
import type { GuestHandle } from '../qemu-guest.js'
import { QmpError } from '../qmp/qmp-error.js'

/** Where a VNC server listens that was told no path. */
const vncSocket = 'vnc.sock'

/** As `GraphicsRole.screenshot`. */
export async function screenshot(
  guest: GuestHandle,
  { screen = 0, signal }: ScreenshotOptions,
): Promise<Screenshot> {
  const heads = guest.document.devices.videos.flatMap(({ alias, model }) =>
    model?.type === 'none'
      ? []
      : Array.from({ length: model?.heads ?? 1 }, (_, head) => ({ device: alias, head })),
  )
  const head = heads[screen]
  if (!head) throw missing(`has no screen ${screen}: it has ${heads.length}`)
  // QEMU works in this directory, and its sandbox lets it at files.
  const file = `screen-${randomUUID()}`
  try {
    const mimeType = await dump(guest, { ...head, filename: file }, { signal })
    const picture = await readFile(join(guest.runDirectory, file), { signal })
    return { mimeType, stream: Readable.from([picture]) }
  } finally {
    await rm(join(guest.runDirectory, file), { force: true })
  }
}

/** Not every QEMU has been built with PNG. */
async function dump(
  { monitor }: GuestHandle,
  what: { readonly device: string | undefined; readonly head: number; readonly filename: string },
  options: CallOptions,
): Promise<string> {
  const { device, head, filename } = what
  const place = device === undefined ? { filename } : { filename, device, head }
  try {
    await monitor.execute('screendump', { ...place, format: 'png' }, options)
    return 'image/png'
  } catch (error) {
    if (!(error instanceof QmpError) || !/png|format/i.test(error.message)) throw error
    await monitor.execute('screendump', place, options)
    return 'image/x-portable-pixmap'
  }
}

/** As `GraphicsRole.openGraphics`. */
export async function openGraphics(
  { document, runDirectory }: GuestHandle,
  { index = 0 }: GraphicsOptions,
): Promise<Duplex> {
  const graphics = document.devices.graphics[index]
  if (graphics?.type !== 'vnc') throw missing(`has no display ${index}`)
  const [listen] = graphics.listens
  if (graphics.socket !== undefined || listen?.type === 'socket') {
    const path = graphics.socket ?? (listen?.type === 'socket' ? listen.socket : undefined) ?? vncSocket
    return isAbsolute(path)
      ? connectUnix(dirname(path), path.slice(dirname(path).length + 1))
      : connectUnix(runDirectory, path)
  }
  return connectTcp(addressOf(graphics), graphics.port ?? 0)
}

type VncXml = Extract<DomainXml['devices']['graphics'][number], { type: 'vnc' }>

/** One that listens everywhere is reached here. */
function addressOf({ listens, listen }: VncXml): string {
  const [first] = listens
  const address = (first?.type === 'address' ? first.address : undefined) ?? listen ?? '127.0.0.1'
  if (address === '0.0.0.0') return '127.0.0.1'
  return address === '::' ? '::1' : address
}

function connectTcp(host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

function missing(what: string): VirError {
  return new VirError('INVALID_ARG', `The guest ${what}`, {
    domain: 'QEMU',
    hint: 'Give the domain a <video> for screens and a <graphics> for displays',
  })
}
