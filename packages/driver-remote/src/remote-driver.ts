import {
  type ConnectUri,
  type Driver,
  type DriverEvent,
  EventHub,
  type OpenOptions,
  type OptionalRoles,
  silentLogger,
  systemClock,
  type Unsubscribe,
} from '@covirt/core'
import { PeerCalls } from './peer-calls.js'
import { PeerDomains } from './peer-domains.js'
import { type PeerService, peerService } from './peer-service.js'
import { reachPeer } from './reach-peer.js'
import { type LinkState, ReconnectingLink } from './reconnecting-link.js'
import { remoteRoles } from './remote-roles.js'
import { parseRemoteTarget, type RemoteTarget } from './remote-target.js'
import type { Peer } from './session.js'

/** How long the peer may take to say good-bye. */
const closeTimeoutMs = 2000
/** How long a call waits for a peer that is away. */
const awayTimeoutMs = 30_000

/**
 * Domains that another process runs, here or on another host: any libvirt daemon or covirt server.
 *
 * **When the connection is lost**, it is made again by itself, with pauses that grow to ten seconds, until the
 * driver is closed; to five minutes where the peer does not let us in any more. Calls under way reject with `RPC`: whether they were carried out is not known, and none is sent
 * twice. Calls made meanwhile wait for the peer's return, half a minute at the most, then reject with `NO_CONNECT`.
 * Once it is back, subscribers are told `resync`, then the events that follow.
 */
export class RemoteDriver extends PeerDomains implements Driver {
  declare readonly console?: OptionalRoles['console']
  declare readonly reset?: OptionalRoles['reset']
  declare readonly guestAgent?: OptionalRoles['guestAgent']
  declare readonly exec?: OptionalRoles['exec']
  declare readonly processes?: OptionalRoles['processes']
  declare readonly addresses?: OptionalRoles['addresses']
  declare readonly files?: OptionalRoles['files']
  declare readonly nativeConfig?: OptionalRoles['nativeConfig']
  declare readonly snapshots?: OptionalRoles['snapshots']
  declare readonly savedState?: OptionalRoles['savedState']
  declare readonly graphics?: OptionalRoles['graphics']
  declare readonly keyboard?: OptionalRoles['keyboard']
  declare readonly nmi?: OptionalRoles['nmi']
  declare readonly guestTime?: OptionalRoles['guestTime']
  declare readonly statistics?: OptionalRoles['statistics']
  declare readonly devices?: OptionalRoles['devices']
  declare readonly tuning?: OptionalRoles['tuning']
  readonly uri: string
  readonly #events: EventHub<DriverEvent>
  readonly #links: EventHub<LinkState>
  readonly #link: ReconnectingLink
  #closing: Promise<void> | undefined

  private constructor(parts: {
    readonly events: EventHub<DriverEvent>
    readonly links: EventHub<LinkState>
    readonly link: ReconnectingLink
    readonly peer: Peer
    readonly target: RemoteTarget
  }) {
    super(new PeerCalls(parts.link, parts.target.callTimeoutMs), parts.peer)
    this.uri = parts.target.uri
    this.#events = parts.events
    this.#links = parts.links
    this.#link = parts.link
    this.#events.subscribe((event) => this.types.heard(event))
    Object.assign(this, remoteRoles(this.calls, parts.peer))
  }

  /**
   * Connects to what `uri` names. `INVALID_ARG` where it makes no sense, `NO_CONNECT` where nobody answers there,
   * `AUTH_UNAVAILABLE` or `AUTH_FAILED` where the peer does not let us in; what the peer itself refuses with.
   */
  static async open(
    uri: ConnectUri,
    { clock = systemClock, logger = silentLogger, credentials, signal }: OpenOptions = {},
  ): Promise<RemoteDriver> {
    const target = parseRemoteTarget(uri)
    const events = new EventHub<DriverEvent>(logger)
    const links = new EventHub<LinkState>(logger)
    let peer: Peer | undefined
    const link: ReconnectingLink = await ReconnectingLink.open(
      {
        clock,
        awayTimeoutMs,
        connect: (connectSignal) => reachPeer(target, { clock, logger, credentials, signal: connectSignal }),
        onSession: (session) => {
          if (peer) events.emit({ type: 'resync', reason: 'reconnected', dropped: undefined })
          peer ??= session.peer
        },
        onState: (state) => links.emit(state),
        onEvent: (event) => events.emit(event),
      },
      signal,
    )
    return new RemoteDriver({
      events,
      links,
      link,
      peer: peer as unknown as Peer,
      target,
    })
  }

  subscribe(listener: (event: DriverEvent) => void): Unsubscribe {
    return this.#events.subscribe(listener)
  }

  /** What a covirt server offers under this name besides its driver; `undefined` where it does not. */
  service(name: string): PeerService | undefined {
    return this.peer.covirt?.services.includes(name) ? peerService(this.calls, name) : undefined
  }

  /** Calls `listener` whenever the connection to the peer is lost, made again, or closed. */
  onLinkState(listener: (state: LinkState) => void): Unsubscribe {
    return this.#links.subscribe(listener)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#events.clear()
    await this.#link.close(closeTimeoutMs)
    this.#links.clear()
  }
}
