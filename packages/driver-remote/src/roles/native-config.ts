import { type CallOptions, type NativeConfigRole, throwIfAborted, VirError } from '@covirt/core'
import { procedures } from '@covirt/protocol'
import { checkDocument, documentRefusal } from '../document-refusal.js'
import type { PeerCalls } from '../peer-calls.js'

/** Definitions in the words of the tools of a covirt server's hypervisors. */
export function nativeConfigRole(calls: PeerCalls, nativeFormats: readonly string[]): NativeConfigRole {
  const check = (format: string, options: CallOptions | undefined) => {
    throwIfAborted(options?.signal)
    if (nativeFormats.includes(format)) return
    throw new VirError('INVALID_ARG', `There is no native format '${format.slice(0, 100)}'`, {
      hint: `There are: ${nativeFormats.join(', ')}`,
    })
  }
  return {
    nativeFormats,
    domainXmlFromNative: async (format, config, options) => {
      check(format, options)
      if (config.includes('\0')) throw new VirError('INVALID_ARG', 'The configuration holds a zero byte')
      const args = { format, config, flags: 0 }
      return (await calls.call(procedures.connectDomainXmlFromNative, args, options)).xml
    },
    domainXmlToNative: async (format, xml, options) => {
      check(format, options)
      const args = { format, xml: checkDocument(xml), flags: 0 }
      return (await documentRefusal(calls.call(procedures.connectDomainXmlToNative, args, options))).config
    },
  }
}
