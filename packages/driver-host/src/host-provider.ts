import { type ConnectUri, type DriverProvider, formatConnectUri, VirError } from '@covirt/core'
import type { HostDocuments } from './documents.js'
import { HostDriver } from './host-driver.js'
import type { HostMember } from './member.js'

const paths: readonly string[] = ['/system', '/session']

/** The provider of `covirt:///system` and `covirt:///session`: one connection over all of `members`. */
export function hostProvider(options: {
  readonly members: readonly HostMember[]
  readonly documents: HostDocuments
}): DriverProvider<HostDriver> {
  return {
    schemes: ['covirt'],
    probe: async () => undefined,
    open: async (uri, openOptions) => HostDriver.open({ ...openOptions, ...options, uri: checkUri(uri) }),
  }
}

/** Returns it in canonical form. Checked here, as a member that refuses it would merely be left out. */
function checkUri(uri: ConnectUri): ConnectUri {
  const refuse = (why: string): never => {
    throw new VirError('INVALID_ARG', `'${formatConnectUri(uri)}' is not for the covirt driver: ${why}`, {
      domain: 'URI',
      hint: "Use 'covirt:///system', or 'covirt:///session' for guests of your own; '?root=DIR' is for all of it",
    })
  }
  if (uri.scheme !== 'covirt') refuse(`its scheme is '${uri.scheme}'`)
  if (uri.transport !== undefined || uri.host !== undefined) refuse('it names another host or a transport')
  if (uri.path !== '/' && !paths.includes(uri.path)) refuse(`it has no instance '${uri.path}'`)
  for (const key of Object.keys(uri.query)) if (key !== 'root') refuse(`it has no parameter '${key}'`)
  return uri.path === '/' ? { ...uri, path: '/system' } : uri
}
