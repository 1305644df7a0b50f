import { type Clock, type Logger, messageOf, VirError } from '@covirt/core'
import { type FindId, findId } from '../access/accounts.js'
import type { DaemonConfig, SocketsConfig } from '../config/config-schema.js'
import type { SystemCalls } from '../native.js'
import { type InheritedSocket, isForReading } from './activation.js'
import type { Accept, ClientIdentity, Listener } from './connection.js'
import { libvirtSockets } from './libvirt-sockets.js'
import type { SocketAccess } from './socket-file.js'
import { listenTcp } from './tcp-listener.js'
import type { TlsListener } from './tls-listener.js'
import { listenInherited, listenUnix, type UnixListenerOptions } from './unix-listener.js'

/** What a daemon listens on, and how. */
export interface ListenersOptions {
  /** The daemon's own socket. */
  readonly socket: string
  /** The directory of libvirt's sockets; `undefined`: they are left alone. */
  readonly libvirtDirectory: string | undefined
  /** The schemes of the drivers that are served. */
  readonly schemes: readonly string[]
  readonly inherited: readonly InheritedSocket[]
  readonly systemCalls: SystemCalls | undefined
  readonly accept: Accept
  readonly logger: Logger
  readonly clock: Clock
  readonly find?: FindId
}

/** All that a daemon listens on. */
export class Listeners {
  readonly #options: ListenersOptions
  readonly #listeners: Listener[] = []
  #tls: TlsListener | undefined

  private constructor(options: ListenersOptions) {
    this.#options = options
  }

  /** Rejects, and listens on nothing, where the daemon's own socket or TLS cannot be listened on. */
  static async open(
    { sockets, tcp, tls, limits }: DaemonConfig,
    options: ListenersOptions,
  ): Promise<Listeners> {
    const listeners = new Listeners(options)
    try {
      await listeners.#open(sockets)
      const bounded = { ...options, maxConnections: limits.clients }
      if (tcp.enabled) listeners.#listeners.push(await listenTcp(tcp, bounded))
      if (tls.enabled) {
        const { listenTls } = await import('./tls-listener.js')
        listeners.#tls = await listenTls(tls, bounded)
        listeners.#listeners.push(listeners.#tls)
      }
      return listeners
    } catch (error) {
      await listeners.close()
      throw error
    }
  }

  get addresses(): readonly string[] {
    return this.#listeners.map(({ address }) => address)
  }

  /** Reads certificates anew; the rest of what a configuration says of listeners needs a restart. */
  async reload({ tls }: DaemonConfig): Promise<void> {
    await this.#tls?.reload(tls)
  }

  /** Whether the certificate of a client, where it has shown one, would be accepted once more. */
  trusts(identity: ClientIdentity): boolean {
    return identity.x509 === undefined || this.#tls === undefined || this.#tls.trusts(identity.x509)
  }

  async close(): Promise<void> {
    await Promise.all(this.#listeners.splice(0).map((listener) => listener.close()))
  }

  async #open(sockets: SocketsConfig): Promise<void> {
    const { socket, libvirtDirectory, schemes, inherited } = this.#options
    for (const each of inherited) {
      const options = { ...this.#options, readOnly: isForReading(each), auth: sockets.auth }
      this.#listeners.push(await listenInherited(each.descriptor, options))
    }
    const gid = await this.#groupOf(sockets)
    const access = { mode: sockets.mode ?? (gid === undefined ? 0o600 : 0o660), gid }
    const readOnlyAccess = { mode: sockets.readOnlyMode ?? access.mode, gid }
    const listen = (path: string, readOnly: boolean) =>
      this.#listen(path, readOnly ? readOnlyAccess : access, { readOnly, auth: sockets.auth })
    // what was passed on stands for our own sockets: whoever passed it has decided which there are
    if (inherited.length === 0) {
      await listen(socket, false)
      if (sockets.readOnly) await listen(`${socket}-ro`, true)
    }
    if (libvirtDirectory === undefined) return
    for (const { path, readOnly } of libvirtSockets(libvirtDirectory, schemes)) {
      if (readOnly && !sockets.readOnly) continue
      try {
        await listen(path, readOnly)
      } catch (error) {
        this.#options.logger.error("one of libvirt's sockets is left alone", {
          path,
          reason: messageOf(error),
        })
      }
    }
  }

  async #listen(
    path: string,
    access: SocketAccess,
    clients: Pick<UnixListenerOptions, 'readOnly' | 'auth'>,
  ): Promise<void> {
    this.#listeners.push(await listenUnix(path, access, { ...this.#options, ...clients }))
  }

  async #groupOf({ group }: SocketsConfig): Promise<number | undefined> {
    if (group === undefined) return undefined
    const gid = await (this.#options.find ?? findId)('group', group)
    if (gid !== undefined) return gid
    throw new VirError('CONF_SYNTAX', `sockets.group: there is no group '${group}' on this host`, {
      domain: 'CONF',
      hint: `Make it (groupadd --system ${group}) or name another one`,
    })
  }
}
