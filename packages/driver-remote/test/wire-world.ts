import { once } from 'node:events'
import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { DriverFixture, DriverWorld } from '@covirt/contract'
import { Connection, parseConnectUri } from '@covirt/core'
import { Server, type ServerOptions } from '@covirt/server'
import { tempRoot } from '../../../test/fixtures/index.js'
import { remoteProvider } from '../src/index.js'
import { certificates } from './certificates.js'

/** The worlds of `fixture`, with libvirt's protocol between the suite and the driver. */
export function overTheWire(fixture: DriverFixture, transport: 'unix' | 'tls'): DriverFixture {
  return { ...fixture, world: async () => wireWorld(await fixture.world(), transport) }
}

async function wireWorld(inner: DriverWorld, transport: 'unix' | 'tls'): Promise<DriverWorld> {
  const served = await serve({ open: async () => (await inner.open()).driver }, transport)
  const open: DriverWorld['open'] = async (options) =>
    new Connection(await remoteProvider.open(parseConnectUri(served.uri), options))
  const dispose = async () => {
    await served[Symbol.asyncDispose]()
    await inner[Symbol.asyncDispose]()
  }
  return new Proxy(inner, {
    get: (_, key) => {
      if (key === 'open') return open
      if (key === Symbol.asyncDispose) return dispose
      const value: unknown = Reflect.get(inner, key)
      return typeof value === 'function' ? value.bind(inner) : value
    },
  })
}

/** A covirt server that listens. */
export interface Served extends AsyncDisposable {
  /** What leads to it. */
  readonly uri: string
  readonly socket: string
  /** Cuts all connections, as a network does. */
  cut(): void
}

/** Serves what `options` open, on a socket of its own. */
export async function serve(options: ServerOptions, transport: 'unix' | 'tls' = 'unix'): Promise<Served> {
  const root = await tempRoot()
  const server = new Server(options)
  const sockets = new Set<Socket>()
  const accept = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    server.accept(socket, { name: 'test', transport }, { auth: options.verifierOf && 'sasl' })
  }
  const socket = root.join('sock')
  const pki = transport === 'tls' ? await certificates() : undefined
  const listener = pki === undefined ? createServer(accept) : tlsListener(pki, accept)
  if (pki === undefined) listener.listen(socket)
  else listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    uri:
      pki === undefined
        ? `test+unix:///empty?socket=${socket}`
        : `test+tls://127.0.0.1:${port}/empty?pkipath=${pki.directory}`,
    socket,
    cut: () => {
      for (const each of sockets) each.destroy()
    },
    async [Symbol.asyncDispose]() {
      listener.close()
      await server.close()
      for (const each of sockets) each.destroy()
      await root[Symbol.asyncDispose]()
    },
  }
}

/** As libvirt's daemons do it: who is let in is told so by one byte. */
function tlsListener(
  pki: Awaited<ReturnType<typeof certificates>>,
  accept: (socket: Socket) => void,
): NetServer {
  const { ca, cert, key } = pki
  return createTlsServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true }, (socket) => {
    socket.write(Buffer.from([1]))
    accept(socket)
  })
}
