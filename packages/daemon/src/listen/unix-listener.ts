import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { Clock, Logger } from '@covirt/core'
import type { SystemCalls } from '../native.js'
import { boundPath } from './activation.js'
import { type Accept, type ClientIdentity, descriptorOf, type Incoming, type Listener } from './connection.js'
import { descriptorSender } from './descriptor-sender.js'
import { listenOnFile, type SocketAccess } from './socket-file.js'

/** How unix sockets are listened on. */
export interface UnixListenerOptions {
  readonly readOnly: boolean
  readonly auth: Incoming['auth']
  readonly accept: Accept
  /** `undefined`: peers are not known. */
  readonly systemCalls: SystemCalls | undefined
  readonly logger: Logger
  readonly clock: Clock
}

/** Listens on a socket file of our own making. As `listenOnFile` refuses. */
export async function listenUnix(
  path: string,
  access: SocketAccess,
  options: UnixListenerOptions,
): Promise<Listener> {
  const server = createServer((socket) => accept(socket, options))
  const file = await listenOnFile(server, path, access)
  return {
    address: path,
    close: async () => {
      await file.remove()
      await closeServer(server)
    },
  }
}

/** Listens on a socket that whoever started us has bound: its file is theirs. */
export async function listenInherited(descriptor: number, options: UnixListenerOptions): Promise<Listener> {
  const server = createServer((socket) => accept(socket, options))
  server.listen({ fd: descriptor })
  await once(server, 'listening')
  return {
    address: boundPath(descriptor) ?? `descriptor ${descriptor}`,
    close: () => closeServer(server),
  }
}

/** Does not wait for the connections that the server has accepted. */
async function closeServer(server: Server): Promise<void> {
  server.close()
}

function accept(socket: Socket, options: UnixListenerOptions): void {
  // until somebody takes over, an error of the socket must not end the process
  socket.on('error', () => {})
  const { readOnly, auth, systemCalls, clock } = options
  const identity = identify(socket, options)
  if (!identity) {
    socket.destroy()
    return
  }
  const sendDescriptor = systemCalls && descriptorSender(socket, { systemCalls, clock })
  options.accept({ stream: socket, identity, readOnly, auth, sendDescriptor })
}

/** `undefined` where the peer should be known and is not: it has gone already. */
function identify(socket: Socket, { systemCalls, logger }: UnixListenerOptions): ClientIdentity | undefined {
  if (!systemCalls) return { name: 'unix', transport: 'unix' }
  const descriptor = descriptorOf(socket)
  if (descriptor === undefined) return undefined
  try {
    const peer = systemCalls.peerCredentials(descriptor)
    return { name: `uid ${peer.uid}`, transport: 'unix', ...peer }
  } catch (error) {
    logger.warn('a client was turned away: who it is cannot be told', { error })
    return undefined
  }
}
