import { type Driver, isVirError, type Logger, VirError } from '@covirt/core'
import { type AccessPolicy, type AccessRole, type Grant, includesRole } from './access-policy.js'
import { GuardedDriver } from './guarded-driver.js'
import type { Identity } from './identity.js'
import type { SaslAnswer, SaslLogin } from './sasl-login.js'

/** Opens what a client asks for. Each session closes what it was given. */
export type OpenDriver = (
  uri: string,
  identity: Identity,
  options: { readonly signal: AbortSignal },
) => Promise<Driver>

/** What a {@link SessionAccess} is made of. */
export interface SessionAccessParts {
  readonly open: OpenDriver
  readonly policy: AccessPolicy
  readonly logger: Logger
  /** Why nothing may be changed at the moment, if so. */
  readonly drained: () => string | undefined
  /** How the client has to say who it is; `undefined`: it need not. */
  readonly login: SaslLogin | undefined
  readonly readOnly: boolean
  /** Fires when the session ends. */
  readonly signal: AbortSignal
}

/** How strictly something is allowed. */
export interface RequireOptions {
  /** Also while the server is drained. */
  readonly whileDrained?: boolean | undefined
}

/** Who one client is, what it has opened, and what it may do with that. */
export class SessionAccess {
  readonly #parts: SessionAccessParts
  #identity: Identity
  #known: boolean
  #role: AccessRole = 'read'
  #readOnly: boolean
  #grant: Grant | undefined
  #driver: Driver | undefined
  #opening = false

  constructor(identity: Identity, parts: SessionAccessParts) {
    this.#identity = identity
    this.#known = parts.login === undefined
    this.#readOnly = parts.readOnly
    this.#parts = parts
  }

  get identity(): Identity {
    return this.#identity
  }

  /** What the connection was opened on. `INVALID_CONN` before that. */
  get driver(): Driver {
    if (this.#driver) return this.#driver
    throw new VirError('INVALID_CONN', 'The connection has not been opened', { domain: 'RPC' })
  }

  get opened(): boolean {
    return this.#driver !== undefined
  }

  /** It is open, or about to be. */
  get opening(): boolean {
    return this.#opening
  }

  /** Whether the client sees some domains alone. */
  get guarded(): boolean {
    return this.#driver instanceof GuardedDriver
  }

  /** Whether the client is known, or need not be. */
  get known(): boolean {
    return this.#known
  }

  /** For logs. */
  get facts() {
    const { name, transport, pid, address } = this.#identity
    return { client: name, transport, pid, address, role: this.#role }
  }

  /** The client's login, until it is known. `AUTH_UNAVAILABLE` where there is none to be made. */
  get login(): SaslLogin {
    const { login } = this.#parts
    if (login && !this.#known) return login
    throw new VirError('AUTH_UNAVAILABLE', 'There is nothing to log in to', { domain: 'AUTH' })
  }

  /** Whether the client has to log in, now or before. */
  get asksForLogin(): boolean {
    return this.#parts.login !== undefined
  }

  /** Takes one step of the login; at its end the client is known. */
  async logIn(step: (login: SaslLogin) => Promise<SaslAnswer>): Promise<SaslAnswer> {
    const { logger } = this.#parts
    try {
      const answer = await step(this.login)
      if (answer.user === undefined) return answer
      this.#known = true
      const { user, verifier } = answer.user
      this.#identity = { ...this.#identity, name: `sasl:${user}`, sasl: user, verifier }
      return answer
    } catch (error) {
      if (isVirError(error, 'AUTH_FAILED') || isVirError(error, 'AUTH_UNAVAILABLE')) {
        logger.warn('A login has failed', { ...this.facts, error })
        throw error
      }
      // What it is, and where, is none of a stranger's business.
      logger.error('A login could not be checked', { ...this.facts, error })
      throw new VirError('AUTH_FAILED', 'The login cannot be checked at the moment', { domain: 'AUTH' })
    }
  }

  /** Opens the connection. Called once. */
  async open(uri: string, readOnly: boolean): Promise<void> {
    if (this.#opening)
      throw new VirError('OPERATION_INVALID', 'The connection is open already', { domain: 'RPC' })
    this.#opening = true
    const { policy, open, logger, signal } = this.#parts
    try {
      const grant = await policy(this.#identity)
      if (!grant)
        throw new VirError('AUTH_FAILED', `'${this.#identity.name}' may not connect here`, { domain: 'AUTH' })
      const driver = await open(uri, this.#identity, { signal })
      this.#readOnly ||= readOnly
      this.#grant = grant
      this.#role = this.#readOnly ? 'read' : grant.role
      this.#driver = grant.mayAccess ? new GuardedDriver(driver, grant.mayAccess) : driver
      logger.info('A client has connected', { ...this.facts, uri })
    } catch (error) {
      this.#opening = false
      throw error
    }
  }

  /** Throws where the client may not do what needs `role`. */
  require(role: AccessRole, what: string, { whileDrained }: RequireOptions = {}): void {
    if (role !== 'read' && !whileDrained) this.#requireNotDrained(what)
    if (includesRole(this.#role, role)) return
    this.#parts.logger.warn('A client was refused', { ...this.facts, what })
    throw this.#readOnly
      ? new VirError('OPERATION_DENIED', `Operation forbidden: read only access prevents ${what}`, {
          domain: 'ACCESS',
        })
      : new VirError('ACCESS_DENIED', `Access denied: ${what} needs the role '${role}'`, {
          domain: 'ACCESS',
          hint: `You have the role '${this.#role}'`,
        })
  }

  /**
   * Asks whether the client is still known, and the policy again. What it grants beyond the former role counts at once; false where it takes something away,
   * or grants other domains: what is open already cannot be told apart, so the connection has to end. So has one that
   * is about to be opened with what was granted before, or is half-way through its login.
   */
  async review(isKnown: (identity: Identity) => boolean): Promise<boolean> {
    if (!isKnown(this.#identity)) return false
    if (!this.#known && this.#parts.login?.underway) return false
    const before = this.#grant
    if (!before) return !this.#opening
    const now = await this.#parts.policy(this.#identity)
    if (!now || now.scope !== before.scope || !includesRole(now.role, before.role)) return false
    this.#grant = now
    if (!this.#readOnly) this.#role = now.role
    return true
  }

  #requireNotDrained(what: string): void {
    const reason = this.#parts.drained()
    if (reason !== undefined)
      throw new VirError('OPERATION_DENIED', `${what} is refused: ${reason}`, { domain: 'RPC' })
  }
}
