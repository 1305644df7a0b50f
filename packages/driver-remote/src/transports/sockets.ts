import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { abortable, messageOf, throwIfAborted, VirError } from '@covirt/core'
import type { RemoteTarget, Route } from '../remote-target.js'
import { runtimeDirectory, socketCandidates } from '../socket-paths.js'

/** The way by one transport. */
export type RouteBy<B extends Route['by']> = Extract<Route, { by: B }>

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

/** Waits for `event` of a socket that connects. */
export function settled(socket: Socket, event: string, signal: AbortSignal): Promise<unknown> {
  return abortable(once(socket, event), signal)
}

/** Why there is no connection to `peer`; what ended it where the caller gave up. */
export function refused(peer: string, cause: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return cause
  return new VirError('NO_CONNECT', `There is no connection to ${peer}: ${messageOf(cause)}`, {
    domain: 'RPC',
    cause,
    ...((cause as NodeJS.ErrnoException).code === 'EACCES' && {
      hint: "Connect as root, or as one of the socket's group ('sockets.group' of covirtd's configuration)",
    }),
  })
}
