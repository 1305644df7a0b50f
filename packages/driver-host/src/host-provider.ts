import { type DriverProvider, VirError } from '@covirt/core'
import type { HostDocuments } from './documents.js'
import { HostDriver } from './host-driver.js'
import type { HostMember } from './member.js'

const paths: readonly string[] = ['/', '/system', '/session']

/** The provider of `covirt:///system` and `covirt:///session`: one connection over all of `members`. */
export function hostProvider(options: {
  readonly members: readonly HostMember[]
  readonly documents: HostDocuments
}): DriverProvider<HostDriver> {
  return {
    schemes: ['covirt'],
    probe: async () => undefined,
    open: async (uri, openOptions) => {
      if (!paths.includes(uri.path)) {
        throw new VirError('INVALID_ARG', `'${uri.path}' is not a path of the covirt driver`, {
          domain: 'URI',
          hint: 'Use covirt:///system, or covirt:///session for guests of your own',
        })
      }
      return HostDriver.open({
        ...openOptions,
        ...options,
        uri: { ...uri, path: uri.path === '/' ? '/system' : uri.path },
      })
    },
  }
}
