import { isVirError, VirError } from '@covirt/core'
import { type FindVerifier, ScramServer, scramMechanism } from '@covirt/protocol'
import type { LoginAttempts } from './login-attempts.js'

/** What a login needs besides its client. */
export interface SaslLoginParts {
  readonly verifierOf: FindVerifier
  readonly attempts: LoginAttempts
  /** Where the client is, for {@link LoginAttempts}. */
  readonly place: string
}

/** What is answered to one step of a login. */
export interface SaslAnswer {
  readonly data: string
  /** Who it is, and by what that was seen, once it is known. */
  readonly user?: Pick<ReturnType<ScramServer['finish']>, 'user' | 'verifier'>
}

/** How often one client may fail. */
const maxFailures = 3

/** One client's way to being known, by SCRAM-SHA-256. */
export class SaslLogin {
  /** The mechanisms there are, as libvirt's clients expect them: with commas between them. */
  readonly mechanisms = scramMechanism
  readonly #parts: SaslLoginParts
  #exchange: ScramServer | undefined
  #failures = 0

  constructor(parts: SaslLoginParts) {
    this.#parts = parts
  }

  /** The client has failed as often as it may. */
  get exhausted(): boolean {
    return this.#failures >= maxFailures
  }

  /** It has begun: what is kept of the password has been looked up, and what the client knows of it is awaited. */
  get underway(): boolean {
    return this.#exchange !== undefined
  }

  /** Begins anew. */
  async start(mechanism: string, data: string | undefined): Promise<SaslAnswer> {
    return this.#guarded(async () => {
      if (mechanism !== scramMechanism)
        throw new VirError('AUTH_UNAVAILABLE', `There is no mechanism '${mechanism.slice(0, 64)}'`, {
          domain: 'AUTH',
          hint: `There is: ${scramMechanism}`,
        })
      this.#exchange = new ScramServer(this.#parts.verifierOf)
      // A client that does not speak first is asked to, with nothing.
      return { data: data === undefined ? '' : await this.#exchange.start(data) }
    })
  }

  async step(data: string | undefined): Promise<SaslAnswer> {
    return this.#guarded(async () => {
      const exchange = this.#exchange
      if (!exchange || data === undefined)
        throw new VirError('AUTH_FAILED', 'There is no login to go on with', { domain: 'AUTH' })
      if (!exchange.started) return { data: await exchange.start(data) }
      this.#exchange = undefined
      const { answer, ...user } = exchange.finish(data)
      return { data: answer, user }
    })
  }

  async #guarded(step: () => Promise<SaslAnswer>): Promise<SaslAnswer> {
    const { attempts, place } = this.#parts
    const pauseMs = attempts.pauseMs(place)
    try {
      if (pauseMs > 0)
        throw new VirError('AUTH_FAILED', 'Too many logins from there have failed', {
          domain: 'AUTH',
          hint: `Try again in ${Math.ceil(pauseMs / 1000)} s`,
        })
      return await step()
    } catch (error) {
      this.#exchange = undefined
      this.#failures++
      // What goes wrong here is no guess of theirs.
      if (pauseMs === 0 && isVirError(error, 'AUTH_FAILED')) attempts.failed(place)
      throw error
    }
  }
}
