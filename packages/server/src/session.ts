import type { Duplex } from 'node:stream'
import {
  type Clock,
  type DomainRef,
  type Driver,
  isVirError,
  type Logger,
  messageOf,
  VirError,
} from '@covirt/core'
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
import { type AccessPolicy, type AccessRole, includesRole } from './access/access-policy.js'
import { GuardedDriver } from './access/guarded-driver.js'
import type { Identity } from './access/identity.js'
import { CallQueue } from './call-queue.js'
import { isCancel, runCall, runCancel, sendUnexpected } from './dispatcher.js'
import { EventRegistrations } from './event-registrations.js'
import type { ServerLimits } from './limits.js'
import type { Service } from './service.js'
import { SessionStreams } from './session-streams.js'

/** Opens what a client asks for. Each session closes what it was given. */
export type OpenDriver = (
  uri: string,
  identity: Identity,
  options: { readonly signal: AbortSignal },
) => Promise<Driver>

/** What a session shares with the others of its server. */
export interface SessionParts {
  readonly open: OpenDriver
  readonly policy: AccessPolicy
  readonly services: Readonly<Record<string, Service>>
  readonly logger: Logger
  readonly clock: Clock
  readonly limits: ServerLimits
  /** Why nothing may be changed at the moment, if so. */
  readonly drained: () => string | undefined
}

/** How a connection was accepted. */
export interface AcceptOptions extends Pick<ChannelOptions, 'sendDescriptor'> {
  /** It came over a socket that is only for reading. Default false. */
  readonly readOnly?: boolean | undefined
}

/** One client, from its first packet to its end. */
export class Session {
  readonly identity: Identity
  readonly events: EventRegistrations
  readonly streams: SessionStreams
  /** Calls that can be cancelled, by their serials. */
  readonly cancellable = new Map<number, AbortController>()
  /** Domains that go down with the session. */
  readonly autodestroy: DomainRef[] = []
  /** Resolves once the client is gone and all that it held here is free. */
  readonly closed: Promise<void>
  readonly #parts: SessionParts
  readonly #channel: Channel
  readonly #calls: CallQueue
  readonly #over = new AbortController()
  #keepalive: Keepalive | undefined
  #role: AccessRole = 'read'
  #readOnly: boolean
  #driver: Driver | undefined
  #opening = false
  #leaving = false
  /** What was sent waits to be taken. */
  #stalled = false
  #watching = false
  #sentBytes = 0

  constructor(duplex: Duplex, identity: Identity, options: AcceptOptions, parts: SessionParts) {
    this.identity = identity
    this.#parts = parts
    this.#readOnly = options.readOnly ?? false
    const { limits } = parts
    this.#calls = new CallQueue(limits, async (frame) => {
      await runCall(this, frame)
      if (this.#leaving) this.#channel.end()
      this.#throttle()
    })
    this.events = new EventRegistrations(this, limits.registrations)
    this.streams = new SessionStreams(
      {
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
    this.#limitGreeting()
  }

  /** What the connection was opened on. `INVALID_CONN` before that. */
  get driver(): Driver {
    if (this.#driver) return this.#driver
    throw new VirError('INVALID_CONN', 'The connection has not been opened', { domain: 'RPC' })
  }

  get opened(): boolean {
    return this.#driver !== undefined
  }

  /** Whether file descriptors can be sent to the client. */
  get sendsDescriptors(): boolean {
    return this.#channel.sendsDescriptors
  }

  /** What the client can use besides the driver: nothing where it may see some domains alone. */
  get services(): Readonly<Record<string, Service>> {
    return this.#driver instanceof GuardedDriver ? {} : this.#parts.services
  }

  get logger(): Logger {
    return this.#parts.logger
  }

  /** Opens the connection. Called once. */
  async open(uri: string, readOnly: boolean): Promise<void> {
    if (this.#opening)
      throw new VirError('OPERATION_INVALID', 'The connection is open already', { domain: 'RPC' })
    this.#opening = true
    const { policy, open, logger, limits } = this.#parts
    try {
      const grant = await policy(this.identity)
      if (!grant)
        throw new VirError('AUTH_FAILED', `'${this.identity.name}' may not connect here`, { domain: 'AUTH' })
      const driver = await open(uri, this.identity, { signal: this.#over.signal })
      this.#readOnly ||= readOnly
      this.#role = this.#readOnly ? 'read' : grant.role
      this.#driver = grant.mayAccess ? new GuardedDriver(driver, grant.mayAccess) : driver
      this.#channel.maxFrameBytes = limits.frameBytes
      logger.info('A client has connected', { ...this.#facts, uri, role: this.#role })
    } catch (error) {
      this.#opening = false
      throw error
    }
  }

  /** Throws where the client may not do what needs `role`. */
  require(role: AccessRole, what: string): void {
    if (role !== 'read') this.#requireNotDrained(what)
    if (includesRole(this.#role, role)) return
    this.#parts.logger.warn('A client was refused', { ...this.#facts, role: this.#role, what })
    throw this.#readOnly
      ? new VirError('OPERATION_DENIED', `Operation forbidden: read only access prevents ${what}`, {
          domain: 'ACCESS',
        })
      : new VirError('ACCESS_DENIED', `Access denied: ${what} needs the role '${role}'`, {
          domain: 'ACCESS',
          hint: `You have the role '${this.#role}'`,
        })
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
    this.#sentBytes += packet.length
    const keepsUp = this.#channel.send(packet)
    if (!keepsUp) this.#onBehind()
    return keepsUp
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
    for (const controller of this.cancellable.values()) controller.abort()
    this.#channel.end()
  }

  /** Cuts the connection. */
  destroy(why: string): void {
    this.#channel.destroy(new VirError('RPC', `The client was cut off: ${why}`, { domain: 'RPC' }))
  }

  get #facts() {
    const { name, transport, pid } = this.identity
    return { client: name, transport, pid }
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

  #onBehind(): void {
    const { limits } = this.#parts
    const { queuedBytes } = this.#channel
    if (queuedBytes > limits.answerBytes) this.#calls.hold()
    if (queuedBytes > limits.unreadBytes) this.destroy('it does not read what is sent to it')
    this.#stalled = true
    if (!this.#watching) void this.#watchStalled()
  }

  #onDrain(): void {
    this.#stalled = false
    this.#calls.release()
    this.streams.resume()
    this.#throttle()
  }

  async #watchStalled(): Promise<void> {
    const { clock, limits } = this.#parts
    this.#watching = true
    const { signal } = this.#over
    const taken = () => this.#sentBytes - this.#channel.queuedBytes
    try {
      for (let before = taken(); this.#stalled; before = taken()) {
        await clock.sleep(limits.stalledMs, { signal })
        if (this.#stalled && taken() === before) return this.destroy('it has taken nothing for too long')
      }
    } catch (error) {
      if (!isVirError(error, 'OPERATION_ABORTED')) throw error
    } finally {
      this.#watching = false
    }
  }

  #limitGreeting(): void {
    const { clock, limits } = this.#parts
    const sleep = clock.sleep(limits.greetingMs, { signal: this.#over.signal })
    void sleep.then(
      () => {
        if (!this.#opening) this.destroy('it has not opened its connection in time')
      },
      () => {},
    )
  }

  #requireNotDrained(what: string): void {
    const reason = this.#parts.drained()
    if (reason !== undefined)
      throw new VirError('OPERATION_DENIED', `${what} is refused: ${reason}`, { domain: 'RPC' })
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
      ...this.#facts,
      ...(reason && { reason: reason.message }),
    })
    this.#keepalive?.stop()
    this.#over.abort()
    this.events.clear()
    this.streams.destroy()
    this.#calls.clear()
    // A start goes on without the one who asked for it, as with libvirt.
    await this.#calls.whenIdle()
    const driver = this.#driver
    if (!driver) return
    const ended = this.autodestroy.map((domain) =>
      driver.destroyDomain(domain).catch((error) => {
        if (!isVirError(error, 'NO_DOMAIN') && !isVirError(error, 'OPERATION_INVALID'))
          logger.warn('A domain could not be ended with its client', {
            domain: domain.name,
            error: messageOf(error),
          })
      }),
    )
    await Promise.all(ended)
    await driver.close().catch((error) => {
      logger.error('A driver could not be closed', { error: messageOf(error) })
    })
  }
}
