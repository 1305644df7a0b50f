import { type ConnectUri, isRemoteUri } from '@covirt/core'

/** Schemes whose guests are below a root, which one process at a time owns. */
const rooted: readonly string[] = ['covirt', 'lxc', 'qemu']

/**
 * Where `uri` leads once ownership is looked at: through the socket of the daemon that owns the root, where another
 * process serves it; `undefined` where the root is to be opened in this process.
 */
export async function throughOwner(uri: ConnectUri): Promise<ConnectUri | undefined> {
  if (!rooted.includes(uri.scheme) || isRemoteUri(uri)) return undefined
  const { resolveRoot, servedSocket } = await import('@covirt/local/served')
  const socket = await servedSocket(resolveRoot(uri))
  return socket === undefined ? undefined : { ...uri, transport: 'unix', query: { ...uri.query, socket } }
}
