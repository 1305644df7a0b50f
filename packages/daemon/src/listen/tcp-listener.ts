import { once } from 'node:events'
import { createServer } from 'node:net'
import { messageOf, VirError } from '@covirt/core'
import type { TcpConfig } from '../config/config-schema.js'
import type { Accept, Listener } from './connection.js'

/** Listens on TCP without encryption: who has to log in shows his password to nobody, but all else can be seen. */
export async function listenTcp(
  { listen, port, auth }: TcpConfig,
  { accept, maxConnections }: { readonly accept: Accept; readonly maxConnections: number },
): Promise<Listener> {
  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    socket.on('error', () => {})
    const address = socket.remoteAddress
    // It has gone already.
    if (address === undefined) {
      socket.destroy()
      return
    }
    accept({ stream: socket, identity: { name: address, transport: 'tcp', address }, readOnly: false, auth })
  })
  server.maxConnections = maxConnections
  return { address: await listening(server, 'tcp', { listen, port }), close: async () => void server.close() }
}

/** Listens, and resolves to where. */
export async function listening(
  server: ReturnType<typeof createServer>,
  kind: string,
  { listen, port }: { readonly listen: string; readonly port: number },
): Promise<string> {
  try {
    server.listen(port, listen)
    await once(server, 'listening')
  } catch (cause) {
    throw new VirError('OPERATION_FAILED', `Cannot listen on ${listen}:${port}: ${messageOf(cause)}`, {
      cause,
    })
  }
  const bound = server.address()
  return typeof bound === 'object' && bound ? `${kind}:${bound.address}:${bound.port}` : `${kind}:${listen}`
}
