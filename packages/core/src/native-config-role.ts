import type { CallOptions } from './abort.js'

/** Role: definitions in the words of the hypervisor's own tools. */
export interface NativeConfigRole {
  /** The formats there are, by libvirt's names: `lxc-tools`. */
  readonly nativeFormats: readonly string[]
  /**
   * The document of a domain that a native configuration describes; nothing is stored. It can be defined as it is.
   * `INVALID_ARG` for a format that is not among {@link nativeFormats}, or a text that is none in it.
   */
  domainXmlFromNative(format: string, config: string, options?: CallOptions): Promise<string>
  /**
   * The native configuration for a document; nothing is stored. Refuses documents as `defineDomain` does;
   * `INVALID_ARG` for a format that is not among {@link nativeFormats}.
   */
  domainXmlToNative(format: string, xml: string, options?: CallOptions): Promise<string>
}
