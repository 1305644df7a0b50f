import type { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { type Logger, messageOf, VirError } from '@covirt/core'
import { matchesAny } from '../access/glob.js'
import type { TlsConfig } from '../config/config-schema.js'
import { clientTrust, type TrustFiles } from './client-trust.js'
import type { Accept, Listener } from './connection.js'
import { distinguishedName } from './distinguished-name.js'
import { listening } from './tcp-listener.js'

/** How long a client may take for its handshake, in milliseconds. */
const handshakeTimeoutMs = 10_000

/** Told to a client whose certificate is accepted; libvirt's clients wait for it. */
const welcome = Buffer.from([1])

/** A listener whose certificates can be read anew. */
export interface TlsListener extends Listener {
  /** For connections from now on. Rejects, and changes nothing, where they cannot be read or make no sense. */
  reload(config: TlsConfig): Promise<void>
  /**
   * Whether who has shown this certificate could do so once more, by what was read last: it leads to an authority of ours, and is
   * neither revoked nor too old.
   */
  trusts(certificate: X509Certificate): boolean
}

/**
 * Listens on TCP for clients that show a certificate of our authority, unless they need none to log in. Of connections beyond `maxConnections`, also of
 * those that have shown nothing yet, nothing is heard.
 */
export async function listenTls(
  config: TlsConfig,
  {
    accept,
    logger,
    maxConnections,
  }: { readonly accept: Accept; readonly logger: Logger; readonly maxConnections: number },
): Promise<TlsListener> {
  let { allowedDns } = config
  const { auth, clientCertificates } = config
  const credentials = await readCredentials(config)
  let trusts = clientTrust(credentials)
  const server = createServer({
    ...credentials,
    requestCert: clientCertificates,
    rejectUnauthorized: clientCertificates,
    minVersion: 'TLSv1.2',
    handshakeTimeout: handshakeTimeoutMs,
  })
  server.maxConnections = maxConnections
  server.on('tlsClientError', (error, socket) => {
    logger.info('a TLS client was turned away', { peer: socket.remoteAddress, error })
    socket.destroy()
  })
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {})
    const x509 = certificateOf(socket)
    const dn = x509 && distinguishedName(x509.subject)
    const address = socket.remoteAddress
    const isAllowed = dn === undefined ? !clientCertificates : !allowedDns || matchesAny(allowedDns, dn)
    if (!isAllowed || address === undefined) {
      logger.warn('a TLS client was turned away: its name is not allowed', { peer: address, dn })
      socket.destroy()
      return
    }
    socket.setNoDelay(true)
    socket.setKeepAlive(true)
    socket.write(welcome)
    accept({
      stream: socket,
      identity: { name: dn ?? address, transport: 'tls', address, certificate: dn, x509 },
      readOnly: false,
      auth,
    })
  })
  return {
    address: await listening(server, 'tls', config),
    reload: async (next) => {
      const credentials = await readCredentials(next)
      const nowTrusts = clientTrust(credentials)
      server.setSecureContext(credentials)
      trusts = nowTrusts
      allowedDns = next.allowedDns
    },
    trusts: (certificate) => trusts(certificate),
    close: async () => {
      server.close()
    },
  }
}

/** `undefined` where the client showed none that we trust. */
function certificateOf(socket: TLSSocket): X509Certificate | undefined {
  return socket.authorized ? socket.getPeerX509Certificate() : undefined
}

async function readCredentials({ ca, cert, key, crl }: TlsConfig): Promise<TlsOptions & TrustFiles> {
  const read = async (option: string, path: string) => {
    try {
      return await readFile(path)
    } catch (cause) {
      throw new VirError('CONF_SYNTAX', `Cannot read tls.${option} ${path}: ${messageOf(cause)}`, {
        domain: 'CONF',
        cause,
        hint: "Make certificates as libvirt's clients expect them: see docs/daemon.md",
      })
    }
  }
  return {
    ca: await read('ca', ca),
    cert: await read('cert', cert),
    key: await read('key', key),
    ...(crl !== undefined && { crl: await read('crl', crl) }),
  }
}
