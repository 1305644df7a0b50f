import { type NativeConfigRole, throwIfAborted, VirError } from '@covirt/core'
import type { DomainXml } from '@covirt/xml'
import { prepareDefinition } from './definition.js'
import type { Hypervisor } from './hypervisor.js'

/** One native format. */
export interface NativeFormat {
  /** The native configuration for a prepared document. */
  toNative(document: DomainXml): string | Promise<string>
  /** The document for a native configuration; `INVALID_ARG` where the text is none. */
  fromNative(config: string): string | Promise<string>
}

/** The role `nativeConfig` of a hypervisor with these formats. */
export function nativeConfigRole(
  hypervisor: Hypervisor,
  formats: Readonly<Record<string, NativeFormat>>,
): NativeConfigRole {
  const nativeFormats = Object.keys(formats)
  const formatOf = (name: string): NativeFormat => {
    const format = nativeFormats.includes(name) ? formats[name] : undefined
    if (format) return format
    throw new VirError('INVALID_ARG', `The ${hypervisor.type} driver has no native format '${name}'`, {
      domain: hypervisor.errorDomain,
      hint: `It has: ${nativeFormats.join(', ')}`,
    })
  }
  return {
    nativeFormats,
    domainXmlFromNative: async (format, config, { signal } = {}) => {
      throwIfAborted(signal)
      return formatOf(format).fromNative(config)
    },
    domainXmlToNative: async (format, xml, { signal } = {}) => {
      throwIfAborted(signal)
      return formatOf(format).toNative(prepareDefinition(xml, hypervisor))
    },
  }
}
