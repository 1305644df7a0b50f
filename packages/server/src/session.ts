import type { Duplex } from 'node:stream'
import { type Clock, type Driver, type Logger, messageOf, VirError } from '@covirt/core'
import {
  Channel,
  type ChannelOptions,
  encodeFrame,
  type Frame,
  type FrameHeader,
  frameStatuses,
  frameTypes,
  Keepalive,
  keepaliveOf,
  type Message,
  pingFrame,
  pongFrame,
  type XdrWriter,
} from '@covirt/protocol'
import type { AccessPolicy } from './access/access-policy.js'
import type { Identity } from './access/identity.js'
import type { SaslLogin } from './access/sasl-login.js'
import { type OpenDriver, SessionAccess, type SessionAccessParts } from './access/session-access.js'
import { Autodestroy } from './autodestroy.js'
import { CallQueue } from './call-queue.js'
import { CancellableCalls } from './cancellable-calls.js'
import { isCancel, runCall, runCancel, sendUnexpected } from './dispatcher.js'
import { EventRegistrations } from './event-registrations.js'
import type { ServerLimits } from './limits.js'
import { Outbox } from './outbox.js'
import type { Service } from './service.js'
import { SessionStreams } from './session-streams.js'

/** What a session shares with the others of its server. */
export interface SessionParts {
  readonly open: OpenDriver
  readonly policy: AccessPolicy
  readonly services: Readonly<Record<string, Service>>
  readonly logger: Logger
  readonly clock: Clock
  readonly limits: ServerLimits
  readonly drained: SessionAccessParts['drained']
  readonly login: SaslLogin | undefined
}

/** How a connection was accepted. */
export interface AcceptOptions extends Pick<ChannelOptions, 'sendDescriptor'> {
  /** It came over a socket that is only for reading. Default false. */
  readonly readOnly?: boolean | undefined
  /** What the client has to do to be known: nothing, which is the default, or to log in with name and password. */
  readonly auth?: 'none' | 'sasl' | undefined
}

/** One client, from its first packet to its end. */
export class Session {
  readonly access: SessionAccess
  readonly events: EventRegistrations
  readonly streams: SessionStreams
  readonly cancellable = new CancellableCalls()
  readonly autodestroy = new Autodestroy()
  /** Resolves once the client is gone and all that it held here is free. */
  readonly closed: Promise<void>
  readonly #parts: SessionParts
  readonly #channel: Channel
  readonly #outbox: Outbox
  readonly #calls: CallQueue
  readonly #over = new AbortController()
  #keepalive: Keepalive | undefined
  #leaving = false
  /** It has not opened its connection in time. */
  #late = false

  constructor(duplex: Duplex, identity: Identity, options: AcceptOptions, parts: SessionParts) {
    this.#parts = parts
    const { limits, clock } = parts
    const { signal } = this.#over
    this.access = new SessionAccess(identity, { ...parts, readOnly: options.readOnly ?? false, signal })
    this.#calls = new CallQueue(limits, async (frame) => {
      await runCall(this, frame)
      if (this.#leaving) this.#channel.end()
      this.#throttle()
    })
    this.events = new EventRegistrations(this, limits.registrations)
    this.streams = new SessionStreams(
      {
        clock,
        stalledMs: limits.stalledMs,
        sendFrame: (header, payload) => this.sendFrame(header, payload),
        onWaiting: () => this.#throttle(),
      },
      limits.streams,
    )
    let resolveClosed = () => {}
    this.closed = new Promise((resolve) => {
      resolveClosed = resolve
    })
    const onClose = (reason: VirError | undefined) =>
      void Promise.all([this.#finish(reason), this.#letGo(duplex)]).then(() => resolveClosed())
    this.#channel = new Channel(
      duplex,
      { onFrame: (frame) => this.#receive(frame), onDrain: () => this.#onDrain(), onClose },
      { maxFrameBytes: limits.greetingBytes, sendDescriptor: options.sendDescriptor },
    )
    this.#outbox = new Outbox({
      channel: this.#channel,
      clock,
      limits,
      signal,
      onFull: () => this.#calls.hold(),
      cut: (why) => this.destroy(why),
    })
    this.#limitGreeting()
  }

  /** What the connection was opened on. `INVALID_CONN` before that. */
  get driver(): Driver {
    return this.access.driver
  }

  /** Whether file descriptors can be sent to the client. */
  get sendsDescriptors(): boolean {
    return this.#channel.sendsDescriptors
  }

  /** What the client can use besides the driver: nothing where it may see some domains alone. */
  get services(): Readonly<Record<string, Service>> {
    return this.access.guarded ? {} : this.#parts.services
  }

  get logger(): Logger {
    return this.#parts.logger
  }

  /** Opens the connection. Called once. */
  async open(uri: string, readOnly: boolean): Promise<void> {
    try {
      await this.access.open(uri, readOnly)
      this.#channel.maxFrameBytes = this.#parts.limits.frameBytes
    } catch (error) {
      if (this.#late && !this.access.opening) this.leave()
      throw error
    }
  }

  /** The client answers to signs of life: from now on it is asked for them. */
  startKeepalive(): void {
    const { clock, limits } = this.#parts
    this.#keepalive ??= new Keepalive({
      clock,
      intervalMs: limits.keepaliveMs,
      count: limits.keepaliveCount,
      ping: () => {
        // Where nothing is read from the client, its silence says nothing.
        if (this.#channel.paused) this.#keepalive?.heard()
        else this.#channel.send(pingFrame)
      },
      onDead: () => this.destroy('it has given no sign of life'),
    })
  }

  /** Sends a packet; false where the client does not keep up. */
  sendFrame(header: FrameHeader, payload?: Uint8Array | ((writer: XdrWriter) => void)): boolean {
    return this.sendPacket(encodeFrame(header, payload))
  }

  /** Sends a whole packet; false where the client does not keep up. */
  sendPacket(packet: Buffer): boolean {
    return this.#outbox.send(packet)
  }

  /** Sends a packet and file descriptors with it. */
  sendWithDescriptors(packet: Buffer, descriptors: readonly number[]): Promise<void> {
    return this.#channel.sendWithDescriptors(packet, descriptors)
  }

  /** Tells the client something that it has not asked for. */
  send<M>({ program, number, body }: Message<M>, value: M): void {
    const header = {
      program: program.number,
      version: program.version,
      procedure: number,
      type: frameTypes.message,
      serial: 0,
      status: frameStatuses.ok,
    }
    this.sendFrame(header, (writer) => body.encode(writer, value))
  }

  /** Ends the connection once the call under way has been answered. */
  leave(): void {
    this.#leaving = true
  }

  /** Ends the connection; what was sent goes out first. Calls under way are cancelled. */
  close(): void {
    this.#over.abort()
    this.cancellable.cancelAll()
    this.#channel.end()
  }

  /** Cuts the connection. */
  destroy(why: string): void {
    this.#channel.destroy(new VirError('RPC', `The client was cut off: ${why}`, { domain: 'RPC' }))
  }

  #receive(frame: Frame): void {
    this.#keepalive?.heard()
    const sign = keepaliveOf(frame)
    if (sign !== undefined) {
      if (sign === 'ping') this.#channel.send(pongFrame)
      return
    }
    switch (frame.type) {
      case frameTypes.call:
      case frameTypes.callWithDescriptors:
        // To cancel a call must not wait for it.
        if (isCancel(frame)) runCancel(this, frame)
        else this.#calls.add(frame)
        this.#throttle()
        return
      case frameTypes.stream:
      case frameTypes.streamHole:
        this.streams.receive(frame)
        return
      case frameTypes.reply:
      case frameTypes.replyWithDescriptors:
      case frameTypes.message:
        // We ask nothing of clients: as libvirt's daemons do, these are dropped.
        return
      default:
        sendUnexpected(this, frame)
    }
  }

  #throttle(): void {
    if (this.#calls.full || this.streams.waiting) this.#channel.pause()
    else if (this.#channel.paused) this.#channel.resume()
  }

  #onDrain(): void {
    this.#outbox.drained()
    this.#calls.release()
    this.streams.resume()
    this.#throttle()
  }

  #limitGreeting(): void {
    const { clock, limits } = this.#parts
    const ms = this.access.known ? limits.greetingMs : limits.loginMs
    const sleep = clock.sleep(ms, { signal: this.#over.signal })
    void sleep.then(
      () => {
        this.#late = true
        if (!this.access.opening) this.destroy('it has not opened its connection in time')
      },
      () => {},
    )
  }

  /** What was sent last goes out before the connection ends, where the client takes it in time. */
  async #letGo(duplex: Duplex): Promise<void> {
    const { clock, limits } = this.#parts
    const gone = new AbortController()
    if (duplex.closed) return
    duplex.once('close', () => gone.abort())
    await clock.sleep(limits.leavingMs, { signal: gone.signal }).catch(() => {})
    duplex.destroy()
  }

  async #finish(reason: VirError | undefined): Promise<void> {
    const { logger } = this.#parts
    logger[reason ? 'warn' : 'info']('A client has gone', {
      ...this.access.facts,
      ...(reason && { reason: reason.message }),
    })
    this.#keepalive?.stop()
    this.#over.abort()
    this.events.clear()
    this.streams.destroy()
    this.#calls.clear()
    // A start goes on without the one who asked for it, as with libvirt.
    await this.#calls.whenIdle()
    if (!this.access.opened) return
    const { driver } = this.access
    await this.autodestroy.run(driver, logger)
    await driver.close().catch((error) => {
      logger.error('A driver could not be closed', { error: messageOf(error) })
    })
  }
}
