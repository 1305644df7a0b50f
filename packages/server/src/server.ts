import type { Duplex } from 'node:stream'
import { type Clock, type Logger, messageOf, silentLogger, systemClock } from '@covirt/core'
import type { FindVerifier } from '@covirt/protocol'
import type { AccessPolicy } from './access/access-policy.js'
import type { Identity } from './access/identity.js'
import { LoginAttempts, placeOf } from './access/login-attempts.js'
import { SaslLogin } from './access/sasl-login.js'
import type { OpenDriver } from './access/session-access.js'
import { defaultLimits, type ServerLimits } from './limits.js'
import type { Service } from './service.js'
import { type AcceptOptions, Session } from './session.js'

/** What a server is made of. */
export interface ServerOptions {
  /**
   * Opens what a client asks for; `uri` is what it has sent, which may be the empty string. Each session closes
   * what it is given.
   */
  readonly open: OpenDriver
  /** Who may do what. Default: everyone who can connect may do everything. */
  readonly policy?: AccessPolicy | undefined
  /** What is kept of users' passwords, for connections that are accepted with `auth: 'sasl'`. */
  readonly verifierOf?: FindVerifier | undefined
  /** What covirt's own clients can use besides the driver, by name. */
  readonly services?: Readonly<Record<string, Service>> | undefined
  readonly logger?: Logger | undefined
  readonly clock?: Clock | undefined
  /** Where the defaults do not suit. */
  readonly limits?: Partial<ServerLimits> | undefined
}

/** One accepted connection. */
export interface ServedConnection {
  /** Resolves once the client is gone and all that it held is free. */
  readonly closed: Promise<void>
  /** Ends it; calls under way are cancelled. */
  close(): void
}

/** Speaks libvirt's protocol to any number of clients, over whatever sockets it is handed. */
export class Server {
  readonly #options: ServerOptions
  readonly #limits: ServerLimits
  readonly #sessions = new Set<Session>()
  readonly #attempts: LoginAttempts
  #closed = false
  #drained: string | undefined

  constructor(options: ServerOptions) {
    this.#options = options
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#attempts = new LoginAttempts(options.clock ?? systemClock)
  }

  /** How many clients there are. */
  get clients(): number {
    return this.#sessions.size
  }

  /**
   * Serves one connection. `identity` is what the caller knows of the other end. A connection too many, or after
   * {@link close}, is cut at once.
   */
  accept(duplex: Duplex, identity: Identity, options: AcceptOptions = {}): ServedConnection {
    const {
      open,
      policy = () => ({ role: 'admin' }),
      logger = silentLogger,
      clock = systemClock,
    } = this.#options
    const session = new Session(duplex, identity, options, {
      open,
      policy,
      logger,
      clock,
      services: this.#options.services ?? {},
      limits: this.#limits,
      drained: () => this.#drained,
      login: options.auth === 'sasl' ? this.#newLogin(identity) : undefined,
    })
    this.#sessions.add(session)
    void session.closed.then(() => this.#sessions.delete(session))
    if (this.#closed) session.destroy('the server is going down')
    else if (this.#sessions.size > this.#limits.clients) session.destroy('there are too many clients')
    else if (!session.access.known && this.#strangers > this.#limits.strangers)
      session.destroy('too many clients have yet to say who they are')
    return session
  }

  /**
   * Asks the policy again about each client. One that has lost a right is cut off, as is one whose domains are others
   * now; what is granted beyond the former role counts at once. Cut off is also whom `isKnown` denies, as what
   * showed who that is counts no more.
   */
  async reviewGrants(isKnown: (identity: Identity) => boolean = () => true): Promise<void> {
    const reviewed = [...this.#sessions].map(async (session) => {
      const stays = await session.access.review(isKnown).catch((error) => {
        this.#options.logger?.error('A policy has failed', { error: messageOf(error) })
        return false
      })
      if (!stays) session.destroy('what it was granted has been taken back')
    })
    await Promise.all(reviewed)
  }

  /** From now on refuses all that would change anything, for this reason; without one, allows it again. */
  drain(reason: string | undefined): void {
    this.#drained = reason
  }

  get #strangers(): number {
    let count = 0
    for (const { access } of this.#sessions) if (!access.known) count++
    return count
  }

  #newLogin(identity: Identity): SaslLogin {
    const { verifierOf } = this.#options
    if (!verifierOf) throw new TypeError('There are no passwords to log in with: verifierOf is missing')
    return new SaslLogin({ verifierOf, attempts: this.#attempts, place: placeOf(identity) })
  }

  /** Ends all connections and resolves once nothing of them is left. Guests live on. */
  async close(): Promise<void> {
    this.#closed = true
    const sessions = [...this.#sessions]
    for (const session of sessions) session.close()
    await Promise.all(sessions.map(({ closed }) => closed))
  }
}
