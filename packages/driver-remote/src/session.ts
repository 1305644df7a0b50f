import type { Duplex } from 'node:stream'
import {
  type AskCredentials,
  type Clock,
  type DriverEvent,
  isVirError,
  type Logger,
  messageOf,
  VirError,
} from '@covirt/core'
import {
  covirtMessages,
  decodeValue,
  domainEventIds,
  domainMessages,
  eventFromBody,
  type Frame,
  features,
  otherMessages,
  procedures,
  type ResultOf,
  remoteProgram,
} from '@covirt/protocol'
import { authenticate } from './auth/authenticate.js'
import type { RemoteTarget } from './remote-target.js'
import { type RpcCallOptions, RpcClient } from './rpc-client.js'

/** What a peer has told of itself. */
export interface Peer {
  /** The driver's kind: `QEMU`. */
  readonly type: string
  /** Of a covirt server; libvirt's daemons have nothing to say here. */
  readonly covirt: ResultOf<typeof procedures.covirtDescribe> | undefined
}

/** What a session tells its owner. */
export interface SessionListener {
  readonly onEvent: (event: DriverEvent) => void
  /** Called once. */
  readonly onClose: (reason: VirError) => void
}

/** How a session is opened. */
export interface SessionOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly signal: AbortSignal
  readonly credentials: AskCredentials | undefined
}

/** The kinds of events that the contract knows. */
const eventNames = ['lifecycle', 'reboot', 'agentLifecycle'] as const
const eventNumbers = new Map(eventNames.map((name) => [domainMessages[name].number, name]))

const readOnlyFlag = 1

/** One connection to a peer, opened. */
export class Session {
  readonly rpc: RpcClient
  readonly peer: Peer
  readonly #arrivals: Arrivals

  private constructor(rpc: RpcClient, peer: Peer, arrivals: Arrivals) {
    this.rpc = rpc
    this.peer = peer
    this.#arrivals = arrivals
  }

  /**
   * Opens what `target` names at the other end of `duplex`, and registers for its events. Destroys `duplex` where
   * it rejects.
   */
  static async open(duplex: Duplex, target: RemoteTarget, options: SessionOptions): Promise<Session> {
    const arrivals = new Arrivals()
    const rpc: RpcClient = new RpcClient(duplex, options.clock, {
      onMessage: (frame) => {
        if (isMessage(frame, otherMessages.connectionClosed))
          rpc.close(new VirError('RPC', 'The peer has lost what stands behind it', { domain: 'RPC' }))
        const event = readEvent(frame)
        if (event) arrivals.event(event)
      },
      onClose: (reason) => arrivals.close(reason),
    })
    try {
      const peer = await handshake(rpc, target, options)
      rpc.peerUndoes = peer.covirt !== undefined
      return new Session(rpc, peer, arrivals)
    } catch (error) {
      duplex.destroy()
      throw openingError(error)
    }
  }

  /** Tells from now on what happens, and first what has happened since it was opened. */
  listen(listener: SessionListener): void {
    this.#arrivals.listen(listener)
  }
}

/** Keeps what comes before anyone listens. */
class Arrivals {
  #listener: SessionListener | undefined
  #events: DriverEvent[] = []
  #closed: VirError | undefined

  event(event: DriverEvent): void {
    if (this.#listener) this.#listener.onEvent(event)
    else this.#events.push(event)
  }

  close(reason: VirError): void {
    this.#closed = reason
    this.#listener?.onClose(reason)
  }

  listen(listener: SessionListener): void {
    this.#listener = listener
    for (const event of this.#events.splice(0)) listener.onEvent(event)
    if (this.#closed) listener.onClose(this.#closed)
  }
}

async function handshake(
  rpc: RpcClient,
  target: RemoteTarget,
  { signal, logger, credentials }: SessionOptions,
): Promise<Peer> {
  const options: RpcCallOptions = { signal, timeoutMs: target.callTimeoutMs }
  await authenticate(rpc, { target, ask: credentials }, options)
  const supports = (feature: number) =>
    rpc.call(procedures.connectSupportsFeature, { feature }, options).then(
      ({ supported }) => supported,
      (error: unknown) => {
        if (signal.aborted || !(error instanceof VirError) || error.code === 'RPC') throw error
        return false
      },
    )
  if (await supports(features.keepalive)) rpc.watch(target.keepaliveIntervalMs, target.keepaliveCount)
  const flags = target.readOnly ? readOnlyFlag : 0
  await rpc.call(procedures.connectOpen, { name: target.name, flags }, options)
  const [{ type }, isCovirt, tellsClose] = await Promise.all([
    rpc.call(procedures.connectGetType, {}, options),
    supports(features.covirt),
    supports(features.closeCallback),
  ])
  const [covirt] = await Promise.all([
    isCovirt ? rpc.call(procedures.covirtDescribe, {}, options) : undefined,
    tellsClose ? rpc.call(procedures.connectRegisterCloseCallback, {}, options).catch(() => {}) : undefined,
    ...eventNames.map((name) => register(rpc, name, options, logger)),
  ])
  return { type, covirt }
}

/** What was behind the end of a connection that was not open yet, as the words of `ssh`. */
function openingError(error: unknown): unknown {
  if (!isVirError(error, 'RPC')) return error
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause)
    if (isVirError(cause, 'NO_CONNECT')) return cause
  const { message } = error.cause instanceof Error ? error.cause : error
  return new VirError('NO_CONNECT', `The connection could not be opened: ${message}`, {
    domain: 'RPC',
    cause: error,
  })
}

async function register(
  rpc: RpcClient,
  name: (typeof eventNames)[number],
  options: RpcCallOptions,
  logger: Logger,
): Promise<void> {
  const { connectDomainEventCallbackRegisterAny } = procedures
  try {
    await rpc.call(connectDomainEventCallbackRegisterAny, { eventId: domainEventIds.indexOf(name) }, options)
  } catch (error) {
    if (!(error instanceof VirError) || error.code !== 'NO_SUPPORT') throw error
    logger.warn('The peer has no events of this kind', { name, error: messageOf(error) })
  }
}

function readEvent(frame: Frame): DriverEvent | undefined {
  if (isMessage(frame, covirtMessages.resync)) {
    const { dropped } = decodeValue(covirtMessages.resync.body, frame.payload)
    return { type: 'resync', reason: 'reconnected', dropped }
  }
  const name = frame.program === remoteProgram.number ? eventNumbers.get(frame.procedure) : undefined
  if (name === undefined) return undefined
  const body = decodeValue(domainMessages[name].body, frame.payload)
  return eventFromBody({ name, body } as Parameters<typeof eventFromBody>[0])
}

function isMessage(
  frame: Frame,
  message: { readonly program: { readonly number: number }; readonly number: number },
) {
  return frame.program === message.program.number && frame.procedure === message.number
}
