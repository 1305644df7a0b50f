import type { GuestKind } from '@covirt/core'

/** By what a document names its domain, as far as it does. */
export interface DomainIdentity {
  /** The `type` of the `<domain>`. */
  readonly type?: string | undefined
  readonly name?: string | undefined
  /** As {@link DomainRef.uuid}: lower case, with dashes. */
  readonly uuid?: string | undefined
}

/** What a host connection asks of XML documents; given to it, as it reads no XML itself. */
export interface HostDocuments {
  /** Who a `<domain>` document is about. `XML_ERROR` where it is not one. Checks nothing else. */
  identify(xml: string): DomainIdentity
  /** One `<capabilities>` document: the host of the first, the guests of all. */
  mergeCapabilities(documents: readonly string[]): string
  /** The `<domainCapabilities>` that such a document tells of one kind. `INVALID_ARG` where it has no such guests. */
  domainCapabilitiesOf(capabilities: string, kind: GuestKind): string
}
