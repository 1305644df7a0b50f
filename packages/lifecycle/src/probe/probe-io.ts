import type { CallOptions, DomainRef } from '@covirt/core'

/** How probes reach what is outside of the driver: replaced as a whole where guests are simulated. */
export interface ProbeIo {
  /** Resolves once a TCP connection has been accepted, which is closed again. */
  connect(host: string, port: number, options: CallOptions): Promise<void>
  /** The status that an HTTP server answers a GET with. */
  httpStatus(url: string, options: CallOptions): Promise<number>
  /** The guest's addresses, the first being the one that it is best reached by. */
  addresses(domain: DomainRef, options: CallOptions): Promise<readonly string[]>
  /** Whether the guest's first program listens for the signal that tells it to go down. */
  initListens(domain: DomainRef, options: CallOptions): Promise<boolean>
  /** Resolves once the guest has said that it is ready. */
  notified(domain: DomainRef, options: CallOptions): Promise<void>
}
