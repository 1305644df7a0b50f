import type { CallOptions } from './abort.js'
import type { DomainRef } from './domain.js'

/**
 * Who may know the addresses of a guest: the host, which looks into its network (`guest`); the agent inside; the DHCP
 * server that gave them.
 */
export const addressSources = ['guest', 'agent', 'lease'] as const

/** One of {@link addressSources}. */
export type AddressSource = (typeof addressSources)[number]

/** An address of an interface. */
export interface InterfaceAddress {
  readonly family: 'ipv4' | 'ipv6'
  /** As text, without a zone. */
  readonly address: string
  /** How many of its bits name the network. */
  readonly prefix: number
}

/** A network interface as its guest sees it. */
export interface GuestInterface {
  readonly name: string
  /** Lower case, with colons; absent where it has none. */
  readonly mac?: string | undefined
  readonly addresses: readonly InterfaceAddress[]
}

/** How addresses are found. */
export interface AddressOptions extends CallOptions {
  /** Whom to ask; `ARGUMENT_UNSUPPORTED` for one that the driver does not have. Default: the driver's best. */
  readonly source?: AddressSource | undefined
}

/** Role: the addresses of guests. */
export interface AddressesRole {
  /**
   * The network interfaces of an active domain, those without address too. `OPERATION_INVALID` where it is not
   * active; `AGENT_UNRESPONSIVE` where the agent is asked and does not answer.
   */
  listInterfaceAddresses(domain: DomainRef, options?: AddressOptions): Promise<readonly GuestInterface[]>
}
