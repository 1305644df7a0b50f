import { abortable, type CallOptions, type Clock, type DriverEvent, messageOf, VirError } from '@covirt/core'
import { procedures } from '@covirt/protocol'
import type { Session } from './session.js'

/** How it stands with the connection to the peer. */
export type LinkState =
  | { readonly state: 'connected' }
  /** Lost; it is tried again and again. */
  | { readonly state: 'away'; readonly error: VirError }
  | { readonly state: 'closed' }

/** What a link needs and what it tells. */
export interface LinkParts {
  readonly clock: Clock
  /** How long a call waits for the peer to come back. */
  readonly awayTimeoutMs: number
  readonly connect: (signal: AbortSignal) => Promise<Session>
  /** A session stands: the first, or one after another was lost. Called before any call goes over it. */
  readonly onSession: (session: Session) => void
  readonly onState: (state: LinkState) => void
  /** Events of the session that stands, after `onSession`. */
  readonly onEvent: (event: DriverEvent) => void
}

/** The first pause between two attempts, and the longest: it doubles from one to the other. */
const pauses = { firstMs: 100, longestMs: 10_000 } as const
/**
 * The pause after the peer has refused us: who tries more often with a password that is out of date keeps it from listening
 * to others at our address.
 */
const refusedPauseMs = 300_000

/** A connection that is made again whenever it is lost, until it is closed. */
export class ReconnectingLink {
  readonly #parts: LinkParts
  readonly #over = new AbortController()
  #session: Session | undefined
  /** Settles once there is a session again. */
  #back: Promise<Session> | undefined
  #error: VirError | undefined

  private constructor(parts: LinkParts) {
    this.#parts = parts
  }

  /** Connects for the first time: rejects where that fails. */
  static async open(parts: LinkParts, signal: AbortSignal | undefined): Promise<ReconnectingLink> {
    const link = new ReconnectingLink(parts)
    const either = signal ? AbortSignal.any([signal, link.#over.signal]) : link.#over.signal
    link.#use(await parts.connect(either))
    return link
  }

  /** The session, at once where there is one. */
  get session(): Session | undefined {
    return this.#session
  }

  /**
   * The session, as soon as there is one. `NO_CONNECT` where the peer stays away too long, `INVALID_CONN` once the
   * link is closed.
   */
  async wait({ signal }: CallOptions = {}): Promise<Session> {
    if (this.#over.signal.aborted) throw closedError()
    if (this.#session) return this.#session
    const { clock, awayTimeoutMs } = this.#parts
    const late = new AbortController()
    const waited = clock.sleep(awayTimeoutMs, { signal: late.signal }).then(
      () => {
        const why = this.#error === undefined ? '' : `: ${this.#error.message}`
        throw new VirError('NO_CONNECT', `The peer has been away for ${awayTimeoutMs / 1000} s${why}`, {
          domain: 'RPC',
          cause: this.#error,
        })
      },
      () => new Promise<never>(() => {}),
    )
    try {
      return await abortable(Promise.race([this.#back as Promise<Session>, waited]), signal)
    } finally {
      late.abort()
    }
  }

  /** Ends it. The peer may take so long to say good-bye. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#over.signal.aborted) return
    this.#over.abort()
    const session = this.#session
    this.#session = undefined
    this.#parts.onState({ state: 'closed' })
    if (!session) return
    const { rpc } = session
    const aborted = new VirError('OPERATION_ABORTED', 'The connection was closed', { domain: 'RPC' })
    const over = new AbortController()
    const goodBye = rpc
      .cancelAll(aborted)
      .then(() => rpc.call(procedures.connectClose, {}))
      .catch(() => {})
    const late = this.#parts.clock.sleep(timeoutMs, { signal: over.signal }).catch(() => {})
    await Promise.race([goodBye, late])
    over.abort()
    rpc.close(aborted)
  }

  #use(session: Session): void {
    this.#session = session
    this.#back = undefined
    this.#parts.onSession(session)
    this.#parts.onState({ state: 'connected' })
    session.listen({ onEvent: this.#parts.onEvent, onClose: (reason) => this.#lost(session, reason) })
  }

  #lost(session: Session, error: VirError): void {
    if (this.#session !== session || this.#over.signal.aborted) return
    this.#session = undefined
    this.#error = error
    this.#back = this.#reconnect()
    // Nobody may be waiting when it is closed.
    this.#back.catch(() => {})
    this.#parts.onState({ state: 'away', error })
  }

  async #reconnect(): Promise<Session> {
    const { clock, connect } = this.#parts
    const { signal } = this.#over
    for (let pauseMs = 0; ; ) {
      // Many clients of one peer do not come back all at once.
      await clock.sleep(pauseMs * (0.5 + Math.random() / 2), { signal }).catch(() => {})
      if (signal.aborted) throw closedError()
      try {
        const session = await connect(signal)
        if (signal.aborted) {
          session.rpc.close(closedError())
          throw closedError()
        }
        this.#use(session)
        return session
      } catch (error) {
        if (signal.aborted) throw closedError()
        this.#error = error instanceof VirError ? error : new VirError('RPC', messageOf(error))
        pauseMs = this.#error.code === 'AUTH_FAILED' ? refusedPauseMs : nextPause(pauseMs)
      }
    }
  }
}

function nextPause(pauseMs: number): number {
  return Math.min(Math.max(pauses.firstMs, pauseMs * 2), pauses.longestMs)
}

function closedError(): VirError {
  return new VirError('INVALID_CONN', 'The connection is closed', { domain: 'RPC' })
}
