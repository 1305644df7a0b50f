import { once } from 'node:events'
import { isIP, type Socket } from 'node:net'
import { connect } from 'node:tls'
import { abortable, throwIfAborted } from '@covirt/core'
import { readCertificates } from './certificates.js'
import { type RouteBy, refused, settled } from './sockets.js'

/**
 * A daemon that listens on TLS. Its certificate is checked against the authority and the name of the host, and it
 * checks ours: libvirt's daemons say that they are content with one byte, before anything else.
 */
export async function connectWithTls(route: RouteBy<'tls'>, signal: AbortSignal): Promise<Socket> {
  const { host, port } = route
  const peer = `${host}:${port}`
  const { ca, crl, cert, key } = await readCertificates(route.pkiPath)
  throwIfAborted(signal)
  const socket = connect({
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
