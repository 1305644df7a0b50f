import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { connect, isIP, type NetConnectOpts, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { abortable, messageOf, throwIfAborted, VirError } from '@covirt/core'
import type { RemoteTarget, Route } from '../remote-target.js'
import { runtimeDirectory, socketCandidates } from '../socket-paths.js'
import { readCertificates } from './certificates.js'

type RouteBy<B extends Route['by']> = Extract<Route, { by: B }>

/** A daemon on this host, at the socket named or at the first of its own that is there. */
export async function connectUnix(
  target: RemoteTarget,
  route: RouteBy<'unix'>,
  signal: AbortSignal,
): Promise<Socket> {
  const directory = runtimeDirectory(target.path, process.env)
  const candidates = route.socket ? [route.socket] : socketCandidates(target, route.mode, directory)
  const path = await firstSocket(candidates)
  return connectSocket({ path }, path, signal)
}

/** A daemon that listens on TCP, without encryption. */
export function connectTcp(route: RouteBy<'tcp'>, signal: AbortSignal): Promise<Socket> {
  const { host, port } = route
  return connectSocket({ host, port, noDelay: true }, `${host}:${port}`, signal)
}

/**
 * A daemon that listens on TLS. Its certificate is checked against the authority and the name of the host, and it
 * checks ours: libvirt's daemons say that they are content with one byte, before anything else.
 */
export async function connectWithTls(route: RouteBy<'tls'>, signal: AbortSignal): Promise<Socket> {
  const { host, port } = route
  const peer = `${host}:${port}`
  const { ca, crl, cert, key } = await readCertificates(route.pkiPath)
  throwIfAborted(signal)
  const socket = connectTls({
    host,
    port,
    ca,
    ...(crl === undefined ? {} : { crl }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(isIP(host) ? {} : { servername: host }),
    rejectUnauthorized: route.verify,
  })
  socket.setNoDelay(true)
  try {
    await settled(socket, 'secureConnect', signal)
    await accepted(socket, signal)
    return socket
  } catch (error) {
    socket.destroy()
    throw refused(peer, error, signal)
  }
}

async function firstSocket(paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined)
    if (found?.isSocket()) return path
  }
  throw new VirError('NO_CONNECT', `No daemon has its socket at ${paths.join(' or ')}`, {
    domain: 'RPC',
    hint: "Start the daemon, or name its socket with '?socket=PATH'",
  })
}

async function connectSocket(options: NetConnectOpts, peer: string, signal: AbortSignal): Promise<Socket> {
  throwIfAborted(signal)
  const socket = connect(options)
  try {
    await settled(socket, 'connect', signal)
    return socket
  } catch (error) {
    socket.destroy()
    throw refused(peer, error, signal)
  }
}

function settled(socket: Socket, event: string, signal: AbortSignal): Promise<unknown> {
  return abortable(once(socket, event), signal)
}

/** Waits for the byte by which the peer lets us in; it just hangs up where it does not. */
async function accepted(socket: Socket, signal: AbortSignal): Promise<void> {
  const ended = new AbortController()
  const onEnd = () => ended.abort()
  socket.once('end', onEnd)
  try {
    for (;;) {
      const byte: Buffer | null = socket.read(1)
      if (byte?.[0] === 1) return
      if (byte !== null || ended.signal.aborted) throw new Error('it does not accept our certificate')
      await abortable(once(socket, 'readable'), AbortSignal.any([signal, ended.signal])).catch((error) => {
        if (!ended.signal.aborted) throw error
      })
    }
  } finally {
    socket.off('end', onEnd)
  }
}

function refused(peer: string, cause: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return cause
  return new VirError('NO_CONNECT', `There is no connection to ${peer}: ${messageOf(cause)}`, {
    domain: 'RPC',
    cause,
    ...((cause as NodeJS.ErrnoException).code === 'EACCES' && {
      hint: "Connect as root, or as one of the socket's group ('sockets.group' of covirtd's configuration)",
    }),
  })
}
