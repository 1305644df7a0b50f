import type { Duplex } from 'node:stream'
import { abortError, type CallOptions, type Clock, isVirError, throwIfAborted, VirError } from '@covirt/core'
import {
  Channel,
  covirtMessages,
  covirtProcedures,
  decodeValue,
  encodeFrame,
  errorRecord,
  type Frame,
  frameStatuses,
  frameTypes,
  Keepalive,
  keepaliveOf,
  type Procedure,
  pingFrame,
  pongFrame,
} from '@covirt/protocol'
import { RpcStream, type RpcStreamOptions } from './rpc-stream.js'

/** What a client tells its owner. */
export interface RpcHandlers {
  readonly onMessage: (frame: Frame) => void
  /** Called once. */
  readonly onClose: (reason: VirError) => void
}

/**
 * How a call is made. Where `signal` fires, the call rejects at once, and its reply is discarded when it comes; but a
 * peer that undoes what is cancelled is told so, and its answer to what would change something is waited for.
 */
export interface RpcCallOptions extends CallOptions {
  /** How long its reply may take: then it rejects with `OPERATION_TIMEOUT`. Default, and 0: any time. */
  readonly timeoutMs?: number | undefined
  /** Whether there is something to be undone where it is cancelled. Default: where it is a write. */
  readonly undoes?: boolean | undefined
  /** Told what the peer says of how far the call is, as text. */
  readonly onProgress?: ((value: string) => void) | undefined
}

/** How long the peer may take to take the last of what was sent to it. */
const leavingMs = 1000

/** By what a procedure is known on the wire. */
type Numbers = Pick<Procedure, 'program' | 'number'>

interface Pending {
  readonly procedure: Procedure
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  /** Made with the call, as packets of it may follow its reply at once. */
  readonly stream: RpcStream | undefined
  /** Called once the call is over. */
  readonly onSettled: (() => void)[]
  readonly undoes: boolean
  readonly onProgress: ((value: string) => void) | undefined
  /** Nobody waits for the reply any more. */
  abandoned: boolean
}

/**
 * Calls over one connection, as many at a time as one likes; replies may come in any order. Where the connection is
 * lost, all calls under way reject with `RPC`.
 */
export class RpcClient {
  /** Whether the peer undoes what is cancelled, as covirt servers do. */
  peerUndoes = false
  readonly #channel: Channel
  readonly #duplex: Duplex
  readonly #clock: Clock
  readonly #handlers: RpcHandlers
  readonly #pending = new Map<number, Pending>()
  readonly #streams = new Map<number, RpcStream>()
  #sleepers: (() => void)[] = []
  #keepalive: Keepalive | undefined
  #serial = 0
  #lost: VirError | undefined

  constructor(duplex: Duplex, clock: Clock, handlers: RpcHandlers) {
    this.#clock = clock
    this.#duplex = duplex
    this.#handlers = handlers
    this.#channel = new Channel(duplex, {
      onFrame: (frame) => this.#receive(frame),
      onClose: (reason) => this.#closed(reason ?? rpcError('The other end has closed the connection')),
      onDrain: () => this.#wake(),
    })
  }

  /** Makes sure from now on that the other end lives, and closes the connection where it does not. 0: never. */
  watch(intervalMs: number, count: number): void {
    if (intervalMs === 0 || this.#lost) return
    const silence = `The other end has been silent for ${(intervalMs * (count + 1)) / 1000} s`
    this.#keepalive = new Keepalive({
      clock: this.#clock,
      intervalMs,
      count,
      ping: () => void this.#channel.send(pingFrame),
      onDead: () => this.#channel.destroy(rpcError(silence)),
    })
  }

  /** Calls a procedure and resolves to its result. */
  call<A, R>(procedure: Procedure<A, R>, args: A, options?: RpcCallOptions): Promise<R> {
    return this.#start(procedure, args, undefined, options)
  }

  /** Calls a procedure that a stream goes with, and resolves to the stream and the result. */
  async openStream<A, R>(
    procedure: Procedure<A, R>,
    args: A,
    options?: RpcCallOptions & RpcStreamOptions,
  ): Promise<{ readonly stream: Duplex; readonly result: R }> {
    const serial = this.#serial
    const parts = {
      send: (status: number, payload?: Uint8Array) => this.#sendStream(procedure, serial, status, payload),
      drained: () => this.#drained(),
      onOver: () => void this.#streams.delete(serial),
    }
    const stream = new RpcStream(parts, options)
    return { stream, result: await this.#start(procedure, args, stream, options) }
  }

  /** Ends all calls under way as if cancelled, with `error`. Resolves once the peer has undone what it can undo. */
  async cancelAll(error: VirError): Promise<void> {
    const undone = [...this.#pending].map(([serial, pending]) => {
      if (this.#isUndone(pending)) return this.#cancel(serial, pending)
      abandon(pending, error)
      return undefined
    })
    await Promise.all(undone)
  }

  /** Closes in order, and in bounded time. Calls under way reject with `reason`. */
  close(reason: VirError): void {
    this.#fail(reason)
    this.#channel.end()
    const duplex = this.#duplex
    if (duplex.closed) return
    // A peer that takes nothing any more would keep the whole program from ending.
    const gone = new AbortController()
    duplex.once('close', () => gone.abort())
    this.#clock.sleep(leavingMs, { signal: gone.signal }).then(
      () => duplex.destroy(),
      () => {},
    )
  }

  #start<A, R>(
    procedure: Procedure<A, R>,
    args: A,
    stream: RpcStream | undefined,
    options: RpcCallOptions | undefined,
  ): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      throwIfAborted(options?.signal)
      if (this.#lost) throw this.#lost
      const serial = this.#serial
      const packet = encodeFrame(header(procedure, frameTypes.call, serial, frameStatuses.ok), (writer) =>
        procedure.args.encode(writer, args),
      )
      this.#serial = (serial + 1) >>> 0
      const pending: Pending = {
        procedure: procedure as unknown as Procedure,
        resolve: resolve as (result: unknown) => void,
        reject,
        stream,
        onSettled: [],
        undoes: options?.undoes ?? procedure.access === 'write',
        onProgress: options?.onProgress,
        abandoned: false,
      }
      this.#pending.set(serial, pending)
      this.#channel.send(packet)
      if (options?.signal || options?.timeoutMs) this.#bound(serial, pending, options)
    })
  }

  #bound(serial: number, pending: Pending, { signal, timeoutMs }: RpcCallOptions): void {
    const over = new AbortController()
    const onAbort = () => {
      if (this.#isUndone(pending)) void this.#cancel(serial, pending)
      else abandon(pending, abortError(signal as AbortSignal))
    }
    signal?.addEventListener('abort', onAbort, { once: true, signal: over.signal })
    pending.onSettled.push(() => over.abort())
    if (!timeoutMs) return
    const late = new VirError(
      'OPERATION_TIMEOUT',
      `No answer to ${pending.procedure.name} in ${timeoutMs} ms`,
    )
    this.#clock.sleep(timeoutMs, { signal: over.signal }).then(
      () => abandon(pending, late),
      () => {},
    )
  }

  #isUndone({ undoes }: Pending): boolean {
    return this.peerUndoes && undoes && !this.#lost
  }

  /** Resolves once the call is over, one way or the other. */
  #cancel(serial: number, pending: Pending): Promise<void> {
    const over = new Promise<void>((resolve) => pending.onSettled.push(resolve))
    this.call(covirtProcedures.covirtCancel, { serial }).catch(() => {})
    return over
  }

  #receive(frame: Frame): void {
    this.#keepalive?.heard()
    const sign = keepaliveOf(frame)
    if (sign === 'ping') this.#channel.send(pongFrame)
    if (sign !== undefined) return
    switch (frame.type) {
      case frameTypes.reply:
        this.#settle(frame)
        break
      case frameTypes.message:
        if (isProgress(frame)) this.#tellProgress(frame)
        else this.#handlers.onMessage(frame)
        break
      case frameTypes.stream:
        this.#streams.get(frame.serial)?.receive(frame)
        break
      default:
        throw rpcError(`The other end has sent a packet of type ${frame.type}, which was not asked for`)
    }
  }

  #settle(frame: Frame): void {
    const pending = this.#pending.get(frame.serial)
    if (!pending) return
    this.#pending.delete(frame.serial)
    settled(pending)
    const { procedure, stream } = pending
    try {
      if (frame.status === frameStatuses.error) {
        pending.reject(decodeValue<VirError>(errorRecord, frame.payload))
        return
      }
      const result = decodeValue(procedure.result, frame.payload)
      if (stream) this.#streams.set(frame.serial, stream)
      if (stream && pending.abandoned) stream.destroy()
      pending.resolve(result)
    } catch (error) {
      pending.reject(error)
    }
  }

  #tellProgress({ payload }: Frame): void {
    const { serial, value } = decodeValue(covirtMessages.progress.body, payload)
    const pending = this.#pending.get(serial)
    if (!pending?.abandoned) pending?.onProgress?.(value)
  }

  #sendStream(procedure: Numbers, serial: number, status: number, payload?: Uint8Array): boolean {
    return this.#channel.send(encodeFrame(header(procedure, frameTypes.stream, serial, status), payload))
  }

  #drained(): Promise<void> {
    if (this.#lost) return Promise.resolve()
    return new Promise((resolve) => this.#sleepers.push(resolve))
  }

  #wake(): void {
    for (const wake of this.#sleepers.splice(0)) wake()
  }

  #closed(reason: VirError): void {
    this.#fail(reason)
    this.#handlers.onClose(reason)
  }

  #fail(reason: VirError): void {
    if (this.#lost) return
    this.#lost = reason
    this.#keepalive?.stop()
    this.#wake()
    const calls = [...this.#pending.values()]
    this.#pending.clear()
    for (const pending of calls) {
      settled(pending)
      pending.reject(isVirError(reason, 'RPC') ? lostDuring(pending.procedure, reason) : reason)
    }
    for (const stream of [...this.#streams.values()]) stream.lost(reason)
  }
}

function isProgress({ program, procedure }: Frame): boolean {
  return program === covirtMessages.progress.program.number && procedure === covirtMessages.progress.number
}

function settled({ onSettled }: Pending): void {
  for (const act of onSettled.splice(0)) act()
}

/** Nobody waits for the reply any more. */
function abandon(pending: Pending, error: VirError): void {
  settled(pending)
  pending.abandoned = true
  pending.reject(error)
}

function header(procedure: Numbers, type: number, serial: number, status: number) {
  const { program, number } = procedure
  return { program: program.number, version: program.version, procedure: number, type, serial, status }
}

function rpcError(message: string): VirError {
  return new VirError('RPC', message, { domain: 'RPC' })
}

function lostDuring(procedure: Procedure, cause: VirError): VirError {
  const unknown = procedure.access === 'write' ? ': whether it has been done is not known' : ''
  return new VirError('RPC', `The connection was lost during ${procedure.name}${unknown}`, {
    domain: 'RPC',
    cause,
    hint: cause.message,
  })
}
